import Core
import Postgres
import Wire

/// What others may react to in the life of a sprint.
enum SprintEvents {
    static let all = [
        created.erased, updated.erased, started.erased, completed.erased, reopened.erased, deleted.erased,
    ]

    struct SprintData: Codable, Sendable {
        let sprintId: UUID
        let projectId: UUID
        let name: String
        let status: SprintStatus
        let startsOn: LocalDate
        let endsOn: LocalDate
    }

    /// What came of it, in tasks and points.
    struct CompletionData: Codable, Sendable {
        let sprintId: UUID
        let projectId: UUID
        let name: String
        let committedCount: Int
        let committedPoints: Double
        let doneCount: Int
        let donePoints: Double
        let carriedOverCount: Int
        let carriedTo: UUID?
    }

    private static let id = UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a40")!
    private static let project = UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a21")!

    private static func example(_ status: SprintStatus) -> SprintData {
        SprintData(
            sprintId: id, projectId: project, name: "Sprint 12", status: status,
            startsOn: LocalDate("2026-11-23")!,
            endsOn: LocalDate("2026-12-04")!)
    }

    static let created = EventType("sprint.created", "A sprint was planned.", example: example(.planned))
    static let updated = EventType(
        "sprint.updated", "Name, goal or dates of a sprint changed.", example: example(.planned))
    static let started = EventType("sprint.started", "A sprint was started.", example: example(.active))
    static let reopened = EventType("sprint.reopened", "A closed sprint goes on.", example: example(.active))
    static let deleted = EventType(
        "sprint.deleted", "A planned sprint was deleted.", example: example(.planned))
    static let completed = EventType(
        "sprint.completed", "A sprint was closed: `carried_to` took over what was not done.",
        example: CompletionData(
            sprintId: id, projectId: project, name: "Sprint 12", committedCount: 14, committedPoints: 32,
            doneCount: 12,
            donePoints: 27.5, carriedOverCount: 2, carriedTo: UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a41")!))

    /// One statement for a batch.
    static func sql(
        _ type: EventType<SprintData>, _ sprint: SprintHead, by actor: Audit.Actor, _ company: UUID
    ) throws -> SQL {
        let data = SprintData(
            sprintId: sprint.id, projectId: sprint.projectId, name: sprint.name, status: sprint.status,
            startsOn: sprint.startsOn, endsOn: sprint.endsOn)
        return try Events.sql(type, data, on: "sprint", sprint.id, by: actor, company: company)
    }
}
