import API
import Core
import Postgres
import Wire

/// A change to some notifications of one inbox. It is made under the inbox's lock, and who has it open is told.
struct InboxChange: Sendable {
    /// The word clients are told: `read`, `archived` …
    let act: String
    let assignments: SQL

    static let read = InboxChange(
        act: "read", assignments: "read_at = coalesce(n.read_at, now()), seen_at = coalesce(n.seen_at, now())"
    )
    static let unread = InboxChange(act: "unread", assignments: "read_at = NULL")
    static let seen = InboxChange(act: "seen", assignments: "seen_at = coalesce(n.seen_at, now())")
    static let unseen = InboxChange(act: "unseen", assignments: "seen_at = NULL, read_at = NULL")
    static let archived = InboxChange(
        act: "archived", assignments: "archived_at = coalesce(n.archived_at, now())")
    static let unarchived = InboxChange(act: "unarchived", assignments: "archived_at = NULL")
    static let restored = InboxChange(act: "restored", assignments: "deleted_at = NULL, deletion_id = NULL")

    static func deleted(_ deletion: UUID) -> InboxChange {
        InboxChange(act: "deleted", assignments: "deleted_at = now(), deletion_id = \(deletion)")
    }

    /// Nil brings it back.
    static func snoozed(until time: Timestamp?) -> InboxChange {
        InboxChange(act: time == nil ? "unsnoozed" : "snoozed", assignments: "snoozed_until = \(time)")
    }

    /// The ids of what was changed.
    @discardableResult
    func apply(where condition: SQL, of user: UUID, _ company: UUID, in tx: Transaction) async throws
        -> [UUID]
    {
        let answers = try await tx.batch([
            NotificationNumbers.change(of: user, company),
            """
            UPDATE notifications n
               SET \(fragment: assignments), version = n.version + 1, updated_at = now()
             WHERE n.company_id = \(company) AND n.user_id = \(user) AND n.seq IS NOT NULL AND \(fragment: condition)
            RETURNING n.id
            """,
        ])
        let ids = try answers[1].map { try $0.get("id", as: UUID.self) }
        if !ids.isEmpty {
            _ = try await tx.query(InboxNews.tellChange(told(ids), of: user, company))
        }
        return ids
    }

    private func told(_ ids: [UUID]) -> JSON {
        if ids.count > Self.idsToldMax { return ["act": .string(act), "ids": .null] }
        return ["act": .string(act), "ids": .array(ids.map { .string($0.description) })]
    }

    /// A client that hears of more reads its list anew, and a NOTIFY has little room.
    private static let idsToldMax = 50
}
