import API
import Postgres
import Wire

/// What was changed of a task, field by field, by whom and when.
enum TaskHistory {
    @RouteList static var routes: [Route] {
        GET("/v1/tasks/{id}/history", "List what was changed of a task", .can(.tasksRead), list)
            .describe(
                "Never rewritten. Ids stand for states, sprints, members and tasks; `field` names custom values as `custom.key`."
            )
            .example(
                answer: [
                    "id": TaskExamples.other, "at": "2026-11-24T08:00:00Z", "actor_kind": "user",
                    "member_id": TaskExamples.member, "member_name": "Ada Lovelace", "field": "priority",
                    "before": "medium", "after": "high",
                ])
    }

    struct Filter: ListFilter {
        let field: [String]?
        let memberId: UUID?

        static let sorts = ["-at"]
    }

    static func list(_ call: Call, _ id: Path<UUID>, _ list: List<Filter>) async throws -> Page<
        TaskHistoryEntry
    > {
        let company = try call.company
        _ = try await ProjectAccess.require(.see, onTask: id.value, call)
        return try await call.page(
            list,
            """
            SELECT h.id, h.at, h.actor_kind, h.member_id, u.name AS member_name, h.field, h.before, h.after
              FROM task_history h
              LEFT JOIN memberships m ON m.company_id = h.company_id AND m.id = h.member_id
              LEFT JOIN users u ON u.id = m.user_id
             WHERE h.company_id = \(company) AND h.task_id = \(id)
            """)
    }
}

struct TaskHistoryEntry: Codable, Sendable {
    let id: UUID
    let at: Timestamp
    let actorKind: String
    let memberId: UUID?
    let memberName: String?
    let field: String
    let before: JSON?
    let after: JSON?
}
