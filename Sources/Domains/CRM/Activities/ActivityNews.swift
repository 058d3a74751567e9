import API
import Core
import Postgres
import Wire

/// What people are told of activities.
enum ActivityNews {
    static let all = [due, overdue, mentioned]

    static let due = NotificationType(
        "activity.due", category: "crm", summary: "The reminder of an activity of yours.",
        values: ["title", "due"],
        texts: [
            "en": .init("{{title}}", "It is planned for {{due}}."),
            "de": .init("{{title}}", "Geplant für {{due}}."),
        ])

    static let overdue = NotificationType(
        "activity.overdue", category: "crm", summary: "An activity of yours is overdue.", severity: .high,
        values: ["title", "due"],
        texts: [
            "en": .init("{{title}} is overdue", "It was planned for {{due}}."),
            "de": .init("{{title}} ist überfällig", "Geplant war {{due}}."),
        ])

    static let mentioned = NotificationType(
        "note.mentioned", category: "crm", summary: "Somebody mentioned you in a note.", values: ["title"],
        texts: [
            "en": .init("You are mentioned in a note", "{{title}}"),
            "de": .init("Sie sind in einer Notiz erwähnt", "{{title}}"),
        ])

    /// Tells those whom a text mentions as `<@member_id>`, as far as they may see it.
    @inline(never)
    static func mention(
        _ text: String, in activity: UUID, _ title: String, by actor: Audit.Actor, _ company: UUID,
        _ tx: Transaction
    ) async throws {
        let named = members(in: text)
        if named.isEmpty { return }
        let rows = try await tx.query(
            """
            SELECT m.user_id FROM memberships m
             WHERE m.company_id = \(company) AND m.id = ANY(\(named)::uuid[]) AND m.status = 'active'
               AND \(fragment: ActivityAccess.isShown(toMember: activity, company: company))
            """)
        let users = try rows.map { try $0.get("user_id", as: UUID.self) }
        if users.isEmpty { return }
        try await Notify.record(
            mentioned, to: users, about: .init("activity", activity), values: ["title": .string(title)],
            dedupeKey: "\(activity) mention", by: actor, company: company, in: tx)
    }

    private static func members(in text: String) -> [UUID] {
        text.split(separator: "<@").dropFirst().prefix(ActivityLimits.recordsMax).compactMap { part in
            part.split(separator: ">", maxSplits: 1, omittingEmptySubsequences: false).first.flatMap {
                UUID(String($0))
            }
        }
    }
}
