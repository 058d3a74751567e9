import API
import Core
import Postgres
import Wire

/// What people are told about their projects.
enum ProjectNews {
    static let all = [memberAdded, projectCompleted, milestoneReached]

    static let watchables = [
        Watchable("project", .projectsRead) {
            "SELECT 1 FROM projects WHERE company_id = \($1) AND id = \($0) AND deleted_at IS NULL"
        }
    ]

    static let memberAdded = NotificationType(
        "project.member_added", category: "projects", summary: "You have been put into a project.",
        values: ["project", "role"],
        texts: [
            "en": .init("You are in the project {{project}}", "You have been added as {{role}}."),
            "de": .init("Sie sind im Projekt {{project}}", "Sie wurden als {{role}} aufgenommen."),
        ])

    static let projectCompleted = NotificationType(
        "project.completed", category: "projects", summary: "A project you are in has been completed.",
        severity: .low,
        channels: [.inApp], values: ["project"],
        texts: [
            "en": .init("{{project}} is completed", "The project has been completed."),
            "de": .init("{{project}} ist abgeschlossen", "Das Projekt wurde abgeschlossen."),
        ])

    @inline(never)
    static func added(
        _ member: UUID, as role: ProjectRole, to head: ProjectHead, by actor: Audit.Actor, _ company: UUID,
        _ tx: Transaction
    ) async throws {
        let users = try await tx.query(
            "SELECT user_id FROM memberships WHERE company_id = \(company) AND id = \(member)")
        let news = News(
            memberAdded, about: .init("project", head.id),
            values: ["project": .string(head.name), "role": .string(role.rawValue)], by: actor)
        let audience = Notify.Audience.users(try users.map { try $0.get("user_id") }, as: "member")
        try await Notify.record(news, to: audience, company: company, in: tx)
    }

    static let milestoneReached = NotificationType(
        "project.milestone_reached", category: "projects",
        summary: "A milestone of a project you are in was reached.",
        severity: .low, channels: [.inApp], values: ["project", "milestone"],
        texts: [
            "en": .init("{{project}}: {{milestone}}", "The milestone has been reached."),
            "de": .init("{{project}}: {{milestone}}", "Der Meilenstein ist erreicht."),
        ])

    static func completed(_ head: ProjectHead, by actor: Audit.Actor, _ company: UUID, _ tx: Transaction)
        async throws
    {
        let news = News(
            projectCompleted, about: .init("project", head.id), values: ["project": .string(head.name)],
            by: actor)
        try await tellMembers(news, of: head, company, tx)
    }

    static func reached(
        _ milestone: String, in head: ProjectHead, by actor: Audit.Actor, _ company: UUID, _ tx: Transaction
    ) async throws {
        let values: JSON = ["project": .string(head.name), "milestone": .string(milestone)]
        let news = News(milestoneReached, about: .init("project", head.id), values: values, by: actor)
        try await tellMembers(news, of: head, company, tx)
    }

    @inline(never)
    private static func tellMembers(_ news: News, of head: ProjectHead, _ company: UUID, _ tx: Transaction)
        async throws
    {
        let users = try await tx.query(
            """
            SELECT m.user_id FROM project_members place
              JOIN memberships m ON m.company_id = place.company_id AND m.id = place.member_id
             WHERE place.company_id = \(company) AND place.project_id = \(head.id)
            """)
        let audience = Notify.Audience.users(try users.map { try $0.get("user_id") }, as: "member")
        try await Notify.record(news, to: audience, company: company, in: tx)
    }
}
