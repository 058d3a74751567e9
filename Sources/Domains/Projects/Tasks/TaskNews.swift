import API
import Core
import Postgres
import Wire

/// What people are told of tasks.
enum TaskNews {
    static let all = [assigned, assignedMany, stateChanged, statesChanged, dueSoon, overdue]

    static let assigned = NotificationType(
        "task.assigned", category: "tasks", summary: "A task was assigned to you.", values: ["key", "title"],
        texts: [
            "en": .init("{{key}} is assigned to you", "{{title}}"),
            "de": .init("{{key}} ist Ihnen zugewiesen", "{{title}}"),
        ])

    static let assignedMany = NotificationType(
        "task.assigned_many", category: "tasks", summary: "Several tasks were assigned to you at once.",
        values: ["count", "keys"],
        texts: [
            "en": .init("{{count}} tasks are assigned to you", "{{keys}}"),
            "de": .init("{{count}} Aufgaben sind Ihnen zugewiesen", "{{keys}}"),
        ])

    static let stateChanged = NotificationType(
        "task.state_changed", category: "tasks",
        summary: "A task you report, work on or watch is in another state.",
        severity: .low, channels: [.inApp], values: ["key", "title", "from", "state"],
        texts: [
            "en": .init("{{key}} is in {{state}}", "{{title}} went from {{from}} to {{state}}."),
            "de": .init("{{key}} steht auf {{state}}", "{{title}} ging von {{from}} auf {{state}}."),
        ])

    static let statesChanged = NotificationType(
        "task.states_changed", category: "tasks",
        summary: "Several tasks you report or work on changed their state at once.",
        severity: .low, channels: [.inApp], values: ["count", "keys"],
        texts: [
            "en": .init("{{count}} of your tasks are in another state", "{{keys}}"),
            "de": .init("{{count}} Ihrer Aufgaben haben einen anderen Status", "{{keys}}"),
        ])

    static let dueSoon = NotificationType(
        "task.due_soon", category: "tasks", summary: "A task of yours is due within a day.",
        values: ["key", "title", "due"],
        texts: [
            "en": .init("{{key}} is due soon", "{{title}} is due by {{due}}."),
            "de": .init("{{key}} ist bald fällig", "{{title}} ist fällig bis {{due}}."),
        ])

    static let overdue = NotificationType(
        "task.overdue", category: "tasks", summary: "A task of yours is overdue.", severity: .high,
        values: ["key", "title", "due"],
        texts: [
            "en": .init("{{key}} is overdue", "{{title}} was due by {{due}}."),
            "de": .init("{{key}} ist überfällig", "{{title}} war fällig bis {{due}}."),
        ])

    /// A task of a private project is there for its people alone.
    static let watchables = [
        Watchable("task", .tasksRead) { id, company in
            """
            SELECT 1 FROM tasks t
              JOIN projects p ON p.company_id = t.company_id AND p.id = t.project_id
             WHERE t.company_id = \(company) AND t.id = \(id) AND t.deleted_at IS NULL AND p.deleted_at IS NULL
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

    struct Assigned: Sendable {
        let member: UUID
        let task: UUID
        let key: String
        let title: String
    }

    /// Tells each who is newly assigned: of one task by its name, of several at once by their number.
    @inline(never)
    static func tell(_ assignments: [Assigned], by actor: Audit.Actor, _ company: UUID, _ tx: Transaction)
        async throws
    {
        if assignments.isEmpty { return }
        let users = try await users(of: assignments.map(\.member), company, tx)
        for (member, user) in users.sorted(by: { $0.key.description < $1.key.description })
        where user != actor.person {
            let own = assignments.filter { $0.member == member }
            if own.count == 1 {
                try await Notify.record(
                    assigned, to: [user], about: .init("task", own[0].task),
                    values: ["key": .string(own[0].key), "title": .string(own[0].title)], by: actor,
                    company: company,
                    in: tx)
            } else {
                try await Notify.record(
                    assignedMany, to: [user], values: summary(of: own.map(\.key)), by: actor,
                    company: company, in: tx)
            }
        }
    }

    private static func summary(of keys: [String]) -> JSON {
        let named = keys.prefix(10).joined(separator: ", ") + (keys.count > 10 ? ", …" : "")
        return ["count": JSON(keys.count), "keys": .string(named)]
    }

    /// Tells of changed tasks: who is newly assigned, and those concerned of another state.
    @inline(never)
    static func tell(
        _ changed: [TaskWriting.Changed], by actor: Audit.Actor, _ company: UUID, _ tx: Transaction
    ) async throws {
        let assignments = changed.flatMap { change in
            change.after.assigneeIds.filter { !change.before.assigneeIds.contains($0) }.map {
                Assigned(member: $0, task: change.after.id, key: change.after.key, title: change.after.title)
            }
        }
        try await tell(assignments, by: actor, company, tx)
        let moved = changed.filter {
            $0.before.stateId != $0.after.stateId && $0.before.projectId == $0.after.projectId
        }
        if moved.isEmpty { return }
        let people = Set(moved.flatMap(\.after.people))
        let users = try await users(of: Array(people), company, tx)
        if moved.count > TaskLimits.newsMax {
            for (member, user) in users.sorted(by: { $0.key.description < $1.key.description })
            where user != actor.person {
                let own = moved.map(\.after).filter { $0.people.contains(member) }
                try await Notify.record(
                    statesChanged, to: [user], values: summary(of: own.map(\.key)), by: actor,
                    company: company, in: tx)
            }
            return
        }
        for change in moved {
            let task = change.after
            let audience = Notify.Audience.users(task.assigneeIds.compactMap { users[$0] }, as: "assignee")
                .and([task.reporterId.flatMap { users[$0] }].compactMap { $0 }, as: "reporter")
            let news = News(
                stateChanged, about: .init("task", task.id),
                values: [
                    "key": .string(task.key), "title": .string(task.title),
                    "from": .string(change.before.stateName),
                    "state": .string(task.stateName),
                ], by: actor)
            try await Notify.record(news, to: audience, company: company, in: tx)
        }
    }

    @inline(never)
    static func users(of members: [UUID], _ company: UUID, _ tx: Transaction) async throws -> [UUID: UUID] {
        if members.isEmpty { return [:] }
        let rows = try await tx.query(
            "SELECT id, user_id FROM memberships WHERE company_id = \(company) AND id = ANY(\(members)::uuid[])"
        )
        var users: [UUID: UUID] = [:]
        for row in rows { users[try row.get("id")] = try row.get("user_id", as: UUID.self) }
        return users
    }
}
