import API
import Postgres
import Wire

/// A kind of thing with a day or a time, for calendars and their feeds: due dates, posts, milestones.
public struct CalendarSource: Sendable {
    public let kind: String
    public let name: String
    /// Without it the source is empty for somebody.
    public let permission: Permission
    /// A statement with the columns `id uuid`, `title text`, `description text` (may be NULL), `link text` (a path of the
    /// product), `starts_on date` and `ends_on date` (both included) or else `starts_at timestamptz` and `ends_at
    /// timestamptz`, `is_done boolean`, `version integer`, `created_at` and `updated_at`. Those that do not apply are
    /// NULL, with their type. Rows are what this member may see between the two moments and, with `mine`, what is his own.
    /// `member` is who asks: see `Principal.companyId`, `.memberId`, `.permissions`.
    public let entries:
        @Sendable (_ member: Principal, _ from: Timestamp, _ to: Timestamp, _ mine: Bool) throws -> SQL

    public init(
        _ kind: String, _ name: String, _ permission: Permission,
        entries:
            @escaping @Sendable (_ member: Principal, _ from: Timestamp, _ to: Timestamp, _ mine: Bool) throws
            -> SQL
    ) {
        self.kind = kind
        self.name = name
        self.permission = permission
        self.entries = entries
    }
}

extension Principal {
    /// A member as he stands now, for work that is done in his name when no request of his is at hand: feeds and jobs.
    /// Nil when he may not act in the company any more.
    /// - Parameter limit: the permissions of the API key by which he began it.
    @inline(never)
    public static func member(
        user: UUID, company: UUID, within limit: [String]? = nil, _ db: Database
    ) async throws -> Principal? {
        let access = try await MemberAccess.load(user: user, company: company, db)
        guard let access else { return nil }
        let allowed =
            limit.map { PermissionSet(names: $0).intersection(access.permissions) } ?? access.permissions
        var principal = Principal(
            userId: user, companyId: company, memberId: access.memberId, permissions: allowed)
        principal.standing = access.standing
        return principal
    }

    /// What work that goes on after this request may do at most; nil when it is no key's.
    public var limitOfKey: [String]? { apiKeyId == nil ? nil : permissions.names }
}
