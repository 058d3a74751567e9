import Core
import Postgres
import Wire

/// What inboxes hold beyond what their streams have sent: one question for many of them.
enum InboxCatchUp {
    /// What one inbox had to say, all as of one moment.
    struct Found: Sendable {
        var lastSeq: Int64
        var changes: Int64
        var counts: String
        var missed: [(seq: Int64, notification: String)]
    }

    /// A stream that was away for longer begins anew.
    static let missedMax = 1_000
    static let askedAtOnce = 200

    /// - Parameter since: the last number each has; nil wants nothing of the past.
    static func find(_ asked: [(user: UUID, since: Int64?)], company: UUID, _ db: Database) async throws
        -> [Found]
    {
        let rows = try await db.query(
            """
            SELECT w.place, coalesce(c.last_seq, 0) AS last_seq, coalesce(c.changes, 0) AS changes,
                   b.counts::text AS counts, m.seq, m.body
              FROM unnest(\(asked.map(\.user))::uuid[], \(asked.map { $0.since ?? .max })::bigint[])
                       WITH ORDINALITY AS w (user_id, since, place)
              LEFT JOIN notification_counters c ON c.company_id = \(company) AND c.user_id = w.user_id
             CROSS JOIN LATERAL (SELECT \(fragment: InboxNews.counts) AS counts
                                   FROM (SELECT \(company)::uuid AS company_id, w.user_id) n) b
              LEFT JOIN LATERAL (SELECT n.seq, (\(fragment: InboxNews.notification))::text AS body
                                   FROM notifications n
                                  WHERE n.company_id = \(company) AND n.user_id = w.user_id AND n.seq > w.since
                                    AND n.deleted_at IS NULL
                                  ORDER BY n.seq LIMIT \(missedMax + 1)) m ON true
             ORDER BY w.place, m.seq
            """, as: Tenant(company: company))
        var found: [Found] = []
        var last = 0
        for row in rows {
            let place: Int = try row.get("place")
            if place != last {
                last = place
                found.append(
                    Found(
                        lastSeq: try row.get("last_seq"), changes: try row.get("changes"),
                        counts: try row.get("counts"), missed: []))
            }
            guard let seq = try row.get("seq", as: Int64?.self) else { continue }
            found[found.count - 1].missed.append((seq, try row.get("body")))
        }
        return found
    }
}
