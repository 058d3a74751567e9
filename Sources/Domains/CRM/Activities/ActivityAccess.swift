import API
import Core
import Postgres
import Wire

/// Who sees which activities: those one wrote or is to do, and those about a record one sees. What one sees one may
/// change with crm:write.
enum ActivityAccess {
    /// A condition on the row of activities under `alias`: it is not deleted, and this one may see it.
    static func visible(_ principal: Principal, _ alias: String = "a") -> SQL {
        "(\(unescaped: alias).deleted_at IS NULL AND \(fragment: isShown(to: principal, alias)))"
    }

    static func visible(_ call: Call, _ alias: String = "a") throws -> SQL {
        guard let principal = call.principal else { throw Problem.unauthorized }
        return visible(principal, alias)
    }

    /// The same whether or not it is in the trash.
    static func isShown(to principal: Principal, _ alias: String = "a") -> SQL {
        let member = principal.memberId
        return """
            (\(unescaped: alias).owner_id = \(member) OR \(unescaped: alias).created_by = \(member)
             OR EXISTS (SELECT 1 FROM activity_links l \(fragment: records(principal))
                         WHERE l.company_id = \(unescaped: alias).company_id AND l.activity_id = \(unescaped: alias).id
                           AND \(fragment: isThere)))
            """
    }

    /// The records of a row `l` that this one sees, as c, p, ld and d.
    static func records(_ principal: Principal) -> SQL {
        """
        LEFT JOIN clients c ON c.company_id = l.company_id AND c.id = l.client_id AND \(fragment: CRMAccess.visible(principal, "c"))
        LEFT JOIN contacts p ON p.company_id = l.company_id AND p.id = l.contact_id AND \(fragment: CRMAccess.visible(principal, "p"))
        LEFT JOIN leads ld ON ld.company_id = l.company_id AND ld.id = l.lead_id AND \(fragment: CRMAccess.visible(principal, "ld"))
        LEFT JOIN deals d ON d.company_id = l.company_id AND d.id = l.deal_id AND \(fragment: CRMAccess.visible(principal, "d"))
        """
    }

    static let isThere: SQL = "coalesce(c.id, p.id, ld.id, d.id) IS NOT NULL"

    /// The same rule for `m`, a row of memberships: nobody is mentioned in what he may not see.
    static func isShown(toMember activity: UUID, company: UUID) -> SQL {
        func any(_ table: String, _ column: String) -> SQL {
            """
            EXISTS (SELECT 1 FROM activity_links l JOIN \(unescaped: table) r ON r.company_id = l.company_id AND r.id = l.\(unescaped: column)
                     WHERE l.company_id = \(company) AND l.activity_id = \(activity) AND \(fragment: CRMAccess.isShown(toMember: "r")))
            """
        }
        return """
            (\(fragment: any("clients", "client_id")) OR \(fragment: any("contacts", "contact_id"))
             OR \(fragment: any("leads", "lead_id")) OR \(fragment: any("deals", "deal_id")))
            """
    }

    /// The row of one that the caller sees, locked; 404 else.
    @inline(never)
    static func locked(_ id: UUID, isNote: Bool = false, _ call: Call, _ tx: Transaction) async throws -> Row
    {
        let rows = try await tx.query(
            """
            SELECT a.id, a.kind, a.direction, a.title, a.body, a.at, a.due_at, a.completed_at, a.version
              FROM activities a
             WHERE a.company_id = \(call.company) AND a.id = \(id) AND \(fragment: visible(call))
               AND (\(!isNote) OR a.kind = 'note') FOR UPDATE OF a
            """)
        guard let row = rows.first else { throw Problem.notFound }
        return row
    }
}
