import API
import Core
import Wire

/// One piece of news in a person's inbox.
struct Notification: Codable, Sendable, FieldNotes {
    let id: UUID
    let seq: Int64
    let type: String
    let category: String
    let severity: NotificationSeverity
    let isCritical: Bool
    let title: String
    let body: String
    let link: String?
    let objectType: String?
    let objectId: UUID?
    let actorId: UUID?
    let relations: [String]
    let data: JSON
    let actions: [OfferedAction]
    let actionTaken: String?
    let seenAt: Timestamp?
    let readAt: Timestamp?
    let archivedAt: Timestamp?
    let snoozedUntil: Timestamp?
    let createdAt: Timestamp
    let version: Int

    static let fieldNotes = [
        "seq": "Its number in your inbox: rises with each, and is what a stream goes on from.",
        "relations": "How you stand to the matter: recipient, owner, assignee, watcher, role, rule.",
        "data": "The values of the event.",
        "actor_id": "The user who did it.",
    ]
}

/// Something that can be done at once, by `POST /v1/notifications/{id}/actions/{key}`.
struct OfferedAction: Codable, Sendable {
    let key: String
    let label: String
}

struct InboxCounts: Codable, Sendable, FieldNotes {
    let total: Int
    let unread: Int
    let unseen: Int
    let archived: Int
    let snoozed: Int
    let filters: [Int]

    static let fieldNotes = ["filters": "One count for each of the filters asked about, in their order."]
}
