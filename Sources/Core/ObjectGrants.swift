import API
import Postgres
import Wire

/// One thing of the company that a role may be given on.
public struct ObjectRef: Sendable, Hashable {
    public let type: String
    public let id: UUID

    public init(_ type: String, _ id: UUID) {
        self.type = type
        self.id = id
    }
}

/// A kind of thing on which roles may be given: its domain declares it, and asks `call.can(_:on:)` about it.
public struct GrantableObject: Sendable {
    public let type: String
    public let summary: String
    /// Gives one row when the company has such a thing.
    public let exists: @Sendable (_ company: UUID, _ id: UUID) -> SQL

    public init(_ type: String, _ summary: String, exists: @escaping @Sendable (UUID, UUID) -> SQL) {
        self.type = type
        self.summary = summary
        self.exists = exists
    }
}

/// All kinds of all domains.
public struct GrantableObjects: Sendable {
    public let all: [GrantableObject]

    public init(_ all: [GrantableObject]) { self.all = all }

    public func named(_ type: String) -> GrantableObject? { all.first { $0.type == type } }
}

/// Roles given on single things.
public enum ObjectGrants {
    /// True for rows on which the member, or a team he is in, holds the permission by a grant. For the WHERE of a list:
    /// `id` is the column of the thing's id.
    public static func holds(
        _ permission: Permission, on type: String, id: SQL, member: UUID, company: UUID
    ) -> SQL {
        let builtIn = BuiltInRole.allCases.filter(permission.roles.contains).map(\.rawValue)
        return """
            EXISTS (SELECT 1 FROM object_grants granted
                      JOIN roles given ON given.company_id = granted.company_id AND given.id = granted.role_id
                     WHERE granted.company_id = \(company) AND granted.object_type = \(type)
                       AND granted.object_id = \(fragment: id)
                       AND (granted.expires_at IS NULL OR granted.expires_at > now())
                       AND (granted.member_id = \(member)
                            OR granted.team_id IN (SELECT place.team_id FROM team_members place
                                                    WHERE place.company_id = \(company) AND place.member_id = \(member)))
                       AND (given.is_builtin AND given.key = ANY(\(builtIn))
                            OR NOT given.is_builtin AND \(permission.name) = ANY(given.permissions)))
            """
    }

    /// One row when the member holds the permission on the thing.
    public static func question(_ permission: Permission, on object: ObjectRef, member: UUID, company: UUID)
        -> SQL
    {
        let id: SQL = "\(object.id)::uuid"
        let holds = holds(permission, on: object.type, id: id, member: member, company: company)
        return "SELECT 1 WHERE \(fragment: holds)"
    }

    /// What goes with the thing itself.
    public static func forget(_ object: ObjectRef, company: UUID) -> SQL {
        """
        DELETE FROM object_grants
         WHERE company_id = \(company) AND object_type = \(object.type) AND object_id = \(object.id)
        """
    }
}

extension Call {
    /// Whether the caller may do this to this thing: by a role in the company, or by a grant on the thing itself. A key
    /// does what its scopes say and has no grants.
    @inline(never)
    public func can(_ permission: Permission, on object: ObjectRef) async throws -> Bool {
        if can(permission) { return true }
        guard principal?.apiKeyId == nil else { return false }
        let company = try company
        let member = try member
        // One await a statement, and nothing thrown behind it: else the task's stack is corrupted in Swift 6.3.
        let question: SQL = ObjectGrants.question(permission, on: object, member: member, company: company)
        let rows = try await db.query(question)
        return !rows.isEmpty
    }

    /// Throws 403 unless the caller may do this to this thing.
    @inline(never)
    public func require(_ permission: Permission, on object: ObjectRef) async throws {
        let isAllowed = try await can(permission, on: object)
        let refusal: Problem? = isAllowed ? nil : .forbidden(permission)
        if let refusal { throw refusal }
    }
}
