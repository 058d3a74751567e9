import Core
import Postgres
import Wire

/// What others may react to, and what of the views hangs on a member.
enum ViewEvents {
    static let all = [created.erased, updated.erased, deleted.erased]

    struct Data: Codable, Sendable {
        let savedViewId: UUID
        let kind: String
        let isShared: Bool
    }

    private static let example = Data(
        savedViewId: UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a50")!, kind: "task", isShared: true)

    static let created = EventType("saved_view.created", "A view of a list was saved.", example: example)
    static let updated = EventType("saved_view.updated", "A saved view changed.", example: example)
    static let deleted = EventType("saved_view.deleted", "A saved view was deleted.", example: example)

    static func sql(
        _ type: EventType<Data>, _ id: UUID, _ kind: String, _ isShared: Bool, by actor: Audit.Actor,
        _ company: UUID
    ) throws -> SQL {
        try Events.sql(
            type, Data(savedViewId: id, kind: kind, isShared: isShared), on: "saved_view", id, by: actor,
            company: company)
    }

    static let handover = HandoverPart(
        "shared_views", "Views that all have; his private ones stay his.",
        count: { who in
            """
            SELECT count(*) AS count FROM saved_views
             WHERE company_id = \(who.company) AND member_id = \(who.member) AND is_shared
            """
        },
        move: { from, to in
            [
                """
                UPDATE saved_views SET member_id = \(to.member), version = version + 1, updated_at = now()
                 WHERE company_id = \(from.company) AND member_id = \(from.member) AND is_shared
                """
            ]
        })
}
