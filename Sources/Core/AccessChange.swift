import Postgres
import Wire

/// News that the rights of a user, of everybody in a company, or of one in the other may have changed. Written in
/// the transaction that changes them; every instance then drops what it had cached about them.
public struct AccessChange: Sendable, Hashable {
    public let user: UUID?
    public let company: UUID?

    public init(user: UUID?, company: UUID?) {
        self.user = user
        self.company = company
    }

    public static let channel = "access_changed"

    /// Records the change. When the transaction commits, this instance knows at once, the others by the notification.
    public static func record(user: UUID?, company: UUID?, in tx: Transaction) async throws {
        _ = try await tx.query(sql(user: user, company: company))
        await tx.onCommit { AccessNews.here.announce(AccessChange(user: user, company: company)) }
    }

    private static func sql(user: UUID?, company: UUID?) -> SQL {
        """
        WITH change AS (
            INSERT INTO access_changes (user_id, company_id) VALUES (\(user), \(company)) RETURNING user_id, company_id)
        SELECT pg_notify('access_changed', concat_ws('|', coalesce(user_id::text, ''), coalesce(company_id::text, '')))
          FROM change
        """
    }

    /// Reads what a notification says.
    public init?(payload: String) {
        let parts = payload.split(separator: "|", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        self.init(user: UUID(parts[0]), company: UUID(parts[1]))
        if user == nil && company == nil { return nil }
    }

    /// The changes since `mark`, and the mark to ask with next time; without one, only the mark of now.
    ///
    /// The mark is the oldest transaction still running, not the last number seen: a transaction that took its number
    /// early and committed late is told all the same. A change may be told twice, never missed.
    public static func since(_ mark: String?, _ db: Database) async throws -> (
        changes: Set<AccessChange>, mark: String
    ) {
        guard let mark else {
            let rows = try await db.query("SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS mark")
            return ([], try rows[0].get("mark", as: String.self))
        }
        let rows = try await db.query(
            """
            SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS mark, c.user_id, c.company_id
              FROM (VALUES (1)) always (present)
              LEFT JOIN access_changes c ON c.xid >= \(mark)::text::xid8
            """)
        var changes: Set<AccessChange> = []
        for row in rows {
            let change = AccessChange(
                user: try row.get("user_id", as: UUID?.self),
                company: try row.get("company_id", as: UUID?.self))
            if change.user != nil || change.company != nil { changes.insert(change) }
        }
        return (changes, try rows[0].get("mark", as: String.self))
    }

    /// Forgets what every instance has long heard.
    static func trim(_ db: Database) async throws {
        _ = try await db.query("DELETE FROM access_changes WHERE at < now() - interval '1 hour'")
    }
}
