import API
import Core
import Postgres
import Wire

/// The four kinds of records that somebody owns.
enum CRMRecord: String, Sendable {
    case client, contact, lead, deal

    var table: String { "\(rawValue)s" }
}

/// Who sees which records, and which of their fields: one rule, for single records, lists, boards, searches, exports and
/// sums.
///
/// One sees one's own; with crm:read-team those of the members of one's teams and those that nobody owns; with
/// crm:read-all everybody's. What one sees one may change with crm:write. What one may not see does not exist. Of a field
/// that one may not see nothing is told: it reads null, and filtering, sorting and writing by it are refused.
enum CRMAccess {
    /// A condition on the row of one of the four tables under `alias`: it is not deleted, and the caller may see it.
    static func visible(_ call: Call, _ alias: String) throws -> SQL {
        _ = try call.company
        guard let principal = call.principal else { throw Problem.unauthorized }
        return visible(principal, alias)
    }

    /// The same for what is done in somebody's name without a call of his.
    static func visible(_ principal: Principal, _ alias: String) -> SQL {
        "(\(unescaped: alias).deleted_at IS NULL AND \(fragment: isShown(to: principal, alias)))"
    }

    /// A condition: the caller could see it before it was deleted.
    static func visibleInTrash(_ call: Call, _ alias: String) throws -> SQL {
        guard let principal = call.principal else { throw Problem.unauthorized }
        return "(\(unescaped: alias).deleted_at IS NOT NULL AND \(fragment: isShown(to: principal, alias)))"
    }

    /// A condition on the owner alone, whether or not the record is deleted.
    static func isShown(to principal: Principal, _ alias: String) -> SQL {
        if principal.permissions.contains(.crmReadAll) { return "TRUE" }
        let (record, member) = (alias, principal.memberId)
        if !principal.permissions.contains(.crmReadTeam) {
            return "\(unescaped: record).owner_id = \(member)"
        }
        return """
            (\(unescaped: record).owner_id IS NULL OR \(unescaped: record).owner_id = \(member)
             OR \(unescaped: record).owner_id IN (
                SELECT mate.member_id FROM team_members own
                  JOIN team_members mate ON mate.company_id = own.company_id AND mate.team_id = own.team_id
                 WHERE own.company_id = \(unescaped: record).company_id AND own.member_id = \(member)))
            """
    }

    /// The same rule for a row `m` of memberships, whoever he is: for notices and mentions.
    static func isShown(toMember alias: String) -> SQL {
        """
        (\(unescaped: alias).deleted_at IS NULL AND (
            \(unescaped: alias).owner_id = m.id AND \(fragment: Permission.crmRead.isHeld())
            OR \(fragment: Permission.crmReadAll.isHeld())
            OR \(fragment: Permission.crmReadTeam.isHeld()) AND (\(unescaped: alias).owner_id IS NULL
               OR EXISTS (SELECT 1 FROM team_members own
                            JOIN team_members mate ON mate.company_id = own.company_id AND mate.team_id = own.team_id
                           WHERE own.company_id = m.company_id AND own.member_id = m.id
                             AND mate.member_id = \(unescaped: alias).owner_id))))
        """
    }

    /// 404 unless the caller sees this record.
    ///
    /// - Parameter locking: its row is kept as it is until the transaction ends (FOR UPDATE).
    @inline(never)
    static func require(
        _ kind: CRMRecord, _ id: UUID, _ call: Call, _ tx: Transaction? = nil, locking: Bool = false
    ) async throws {
        let sql: SQL = """
            SELECT 1 AS found FROM \(unescaped: kind.table) r
             WHERE r.company_id = \(try call.company) AND r.id = \(id)
               AND \(fragment: try visible(call, "r"))\(unescaped: locking ? " FOR UPDATE" : "")
            """
        let rows = if let tx { try await tx.query(sql) } else { try await call.db.query(sql) }
        if rows.isEmpty { throw Problem.notFound }
    }

    /// What of a sum of money this caller reads: the column, or null.
    static func amount(_ column: String, _ principal: Principal) -> SQL {
        principal.permissions.contains(.crmAmounts) ? "\(unescaped: column)" : "NULL::bigint"
    }

    /// What of an address or number this caller reads: the column, or null.
    static func contactData(_ column: String, _ principal: Principal) -> SQL {
        principal.permissions.contains(.crmContactData) ? "\(unescaped: column)" : "NULL::text"
    }
}
