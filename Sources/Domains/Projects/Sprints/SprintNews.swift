import API
import Core
import Postgres
import Wire

/// What people are told about the sprints of their projects.
enum SprintNews {
    static let all = [started, completed]

    static let watchables = [
        Watchable("sprint", .tasksRead) { id, company in
            """
            SELECT 1 FROM sprints s
              JOIN projects p ON p.company_id = s.company_id AND p.id = s.project_id
             WHERE s.company_id = \(company) AND s.id = \(id) AND p.deleted_at IS NULL
               AND (p.visibility = 'company' OR EXISTS (
                   SELECT 1 FROM memberships m
                    WHERE m.company_id = p.company_id
                      AND m.user_id = nullif(current_setting('app.user_id', true), '')::uuid
                      AND (m.id = p.lead_id OR EXISTS (
                          SELECT 1 FROM project_members place
                           WHERE place.company_id = p.company_id AND place.project_id = p.id AND place.member_id = m.id))))
            """
        }
    ]

    static let started = NotificationType(
        "sprint.started", category: "projects", summary: "A sprint of a project you are in has started.",
        channels: [.inApp], values: ["sprint", "project", "ends_on"],
        texts: [
            "en": .init("{{sprint}} has started", "The sprint of {{project}} runs until {{ends_on}}."),
            "de": .init("{{sprint}} hat begonnen", "Der Sprint von {{project}} läuft bis {{ends_on}}."),
        ])

    static let completed = NotificationType(
        "sprint.completed", category: "projects",
        summary: "A sprint of a project you are in has been closed.",
        channels: [.inApp], values: ["sprint", "project", "done", "committed"],
        texts: [
            "en": .init(
                "{{sprint}} is closed", "{{done}} tasks of {{project}} are done; {{committed}} were planned."),
            "de": .init(
                "{{sprint}} ist abgeschlossen",
                "{{done}} Aufgaben von {{project}} sind fertig; geplant waren {{committed}}."),
        ])

    /// Tells the project's members and those who have tasks in the sprint.
    @inline(never)
    static func tell(
        _ type: NotificationType, _ sprint: SprintHead, _ values: [String: JSON], by actor: Audit.Actor,
        _ company: UUID,
        _ tx: Transaction
    ) async throws {
        let users = try await tx.query(
            """
            SELECT m.user_id FROM memberships m
             WHERE m.company_id = \(company) AND m.status = 'active' AND (
                   m.id IN (SELECT member_id FROM project_members
                             WHERE company_id = \(company) AND project_id = \(sprint.projectId))
                OR m.id IN (SELECT a.member_id FROM task_assignees a
                              JOIN tasks t ON t.company_id = a.company_id AND t.id = a.task_id
                             WHERE t.company_id = \(company) AND t.sprint_id = \(sprint.id) AND t.deleted_at IS NULL))
            """)
        var all = JSON.Object()
        for (key, value) in values { all[key] = value }
        all["sprint"] = .string(sprint.name)
        all["project"] = .string(sprint.projectName)
        let news = News(type, about: .init("sprint", sprint.id), values: .object(all), by: actor)
        let audience = Notify.Audience.users(try users.map { try $0.get("user_id") }, as: "member")
        try await Notify.record(news, to: audience, company: company, in: tx)
    }
}
