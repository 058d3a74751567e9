import API
import Core
import Postgres
import Wire

extension Members {
    /// The rows of `Member`, each with its roles and teams.
    static func select(_ company: UUID) -> SQL {
        """
        SELECT m.id, m.user_id, u.name, u.email, u.avatar_url, m.title, m.status,
               (SELECT coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'key', r.key, 'name', r.name) ORDER BY r.name),
                                '[]')
                  FROM member_roles mr
                  JOIN roles r ON r.company_id = mr.company_id AND r.id = mr.role_id
                 WHERE mr.company_id = m.company_id AND mr.member_id = m.id) AS roles,
               (SELECT coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name) ORDER BY t.name), '[]')
                  FROM team_members tm
                  JOIN teams t ON t.company_id = tm.company_id AND t.id = tm.team_id
                 WHERE tm.company_id = m.company_id AND tm.member_id = m.id) AS teams,
               m.attributes, m.via_company_id, m.joined_at,
               (SELECT max(pu.last_on) FROM permission_uses pu
                 WHERE pu.company_id = m.company_id AND pu.member_id = m.id) AS last_active_on,
               m.suspended_at, m.removed_at, m.version, m.updated_at
          FROM memberships m
          JOIN users u ON u.id = m.user_id AND u.kind = 'person'
         WHERE m.company_id = \(company)
        """
    }

    static func select(_ company: UUID, _ filter: Filter) throws(Problem) -> SQL {
        var sql = select(company)
        let statuses = filter.status ?? [.active, .suspended]
        sql += " AND m.status = ANY(\(statuses))"
        if let role = filter.roleId { sql += "\(fragment: held("mr.role_id = \(role)"))" }
        if let keys = filter.role?.map(\.text) { sql += "\(fragment: held("r.key = ANY(\(keys))"))" }
        if let team = filter.teamId {
            sql += """
                 AND EXISTS (SELECT 1 FROM team_members tm
                              WHERE tm.company_id = m.company_id AND tm.member_id = m.id AND tm.team_id = \(team))
                """
        }
        if let day = filter.inactiveSince {
            sql += """
                 AND NOT EXISTS (SELECT 1 FROM permission_uses pu
                                  WHERE pu.company_id = m.company_id AND pu.member_id = m.id AND pu.last_on >= \(day)::date)
                """
        }
        sql += "\(fragment: try MemberAttributes.condition(filter.attribute?.map(\.text) ?? []))"
        return sql
    }

    private static func held(_ condition: SQL) -> SQL {
        """
         AND EXISTS (SELECT 1 FROM member_roles mr
                       JOIN roles r ON r.company_id = mr.company_id AND r.id = mr.role_id
                      WHERE mr.company_id = m.company_id AND mr.member_id = m.id AND \(fragment: condition))
        """
    }
}

extension Members {
    /// A member about to be changed by the caller, who has been found to stand high enough for it.
    struct Target {
        let id: UUID
        let userId: UUID
        let name: String
        let status: MemberStatus
        let viaCompanyId: UUID?
        let attributes: JSON
        let version: Int64
        let roleKeys: [String]
        /// What the caller may hand on.
        let ceiling: PermissionSet

        /// Not found is not found, whatever company the id may belong to.
        // Swift 6.3 frees the frame of this function in the wrong order where it is inlined and throws.
        @inline(never)
        static func of(_ id: UUID, _ call: Call, kind: String = "person", in tx: Transaction) async throws
            -> Target
        {
            let company = try call.company
            let rows = try await tx.query(
                """
                SELECT m.id, m.user_id, u.name, m.status, m.via_company_id, m.attributes::text AS attributes, m.version,
                       r.key, r.is_builtin, r.permissions
                  FROM memberships m
                  JOIN users u ON u.id = m.user_id AND u.kind = \(kind)
                  LEFT JOIN member_roles mr ON mr.company_id = m.company_id AND mr.member_id = m.id
                  LEFT JOIN roles r ON r.company_id = mr.company_id AND r.id = mr.role_id
                 WHERE m.company_id = \(company) AND m.id = \(id)
                """)
            guard let row = rows.first else { throw Problem.notFound }
            let roles = try rows.compactMap { row -> (key: String, permissions: PermissionSet)? in
                guard let key = try row.get("key", as: String?.self) else { return nil }
                return (
                    key,
                    PermissionSet.ofRole(
                        key: key, isBuiltIn: try row.get("is_builtin"), custom: try row.get("permissions"))
                )
            }
            let ceiling = try await Granting.ceiling(of: call, in: tx)
            let target = Target(
                id: id, userId: try row.get("user_id"), name: try row.get("name"),
                status: try row.get("status"),
                viaCompanyId: try row.get("via_company_id"),
                attributes: try JSON.parse(row.get("attributes", as: String.self)),
                version: try row.get("version"), roleKeys: roles.map(\.key), ceiling: ceiling)
            let held = roles.reduce(PermissionSet()) { $0.union($1.permissions) }
            guard held.isSubset(of: ceiling) else {
                throw Problem(.memberOutranksYou, "This member holds rights that you do not hold yourself.")
            }
            return target
        }

        func mustNotBeSelf(_ call: Call) throws {
            if try call.user == userId { throw Problem(.useDeparture) }
        }

        func mustBelongHere() throws {
            if viaCompanyId != nil { throw Problem(.agencyMember) }
        }

        func tell(
            _ template: MailTemplate, _ context: [String: String] = [:], company: String, tenant: UUID,
            in tx: Transaction
        ) async throws {
            guard let person = try await Recipient.of(userId, in: tx) else { return }
            let context = context.merging(["company": company]) { given, _ in given }
            try await Mail.queue(person.mail(template, context, company: tenant), in: tx)
        }
    }
}
