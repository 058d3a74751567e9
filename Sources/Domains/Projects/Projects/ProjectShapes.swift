import API
import Postgres
import Wire

/// A piece of work with people, states and tasks of its own.
struct Project: Codable, Sendable, FieldNotes {
    let id: UUID
    let key: String
    let name: String
    let description: String?
    let status: ProjectStatus
    let visibility: ProjectVisibility
    let leadId: UUID?
    let color: String?
    let coverFileId: UUID?
    let timeZone: String
    let startOn: LocalDate?
    let dueOn: LocalDate?
    let wipPolicy: WIPPolicy
    let isFavourite: Bool
    let right: Right
    let completedAt: Timestamp?
    let archivedAt: Timestamp?
    let createdBy: UUID?
    let version: Int
    let createdAt: Timestamp
    let updatedAt: Timestamp

    /// `ProjectRight`, as it is said.
    enum Right: String, Codable, CaseIterable, Sendable { case see, comment, contribute, manage }

    static let fieldNotes = [
        "key":
            "Stands before the numbers of its tasks, as in WEB-142. It never changes and is never given again.",
        "lead_id": "The member who answers for it; a manager of it.",
        "time_zone": "Decides when a day begins: for due dates and for every report.",
        "wip_policy":
            "What happens when a task goes into a state that holds as many as its `wip_limit` says.",
        "is_favourite": "Whether it is one of the caller's favourites.",
        "right": "What the caller may do in it; each right holds those before it.",
        "created_by": "The member who made it.",
    ]
}

struct NewProject: Codable, Sendable, FieldNotes {
    let name: Text<120>
    let key: ProjectKey?
    let description: Prose<20_000>?
    let visibility: ProjectVisibility?
    let leadId: UUID?
    let color: Color?
    let timeZone: TimeZoneName?
    let startOn: LocalDate?
    let dueOn: LocalDate?
    let isActive: Bool?

    static let fieldNotes = [
        "key": "Suggested from the name when absent.",
        "lead_id": "Whoever makes it, when absent.",
        "time_zone": "The company's, when absent.",
        "is_active": "True begins it at once; else it is a draft.",
    ]
}

struct ProjectChange: Codable, Sendable {
    let name: Text<120>?
    let description: Clearable<Prose<20_000>>
    let visibility: ProjectVisibility?
    let leadId: Clearable<UUID>
    let color: Clearable<Color>
    let timeZone: TimeZoneName?
    let startOn: Clearable<LocalDate>
    let dueOn: Clearable<LocalDate>
    let wipPolicy: WIPPolicy?
}

/// What happens when a task goes into a state that is full.
enum WIPPolicy: String, Codable, CaseIterable, SQLBindable, Sendable { case warn, refuse }
