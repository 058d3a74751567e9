import API
import Core
import Postgres
import Wire

/// The records that something is about.
struct ActivityRecords: Sendable, Equatable {
    var clients: [UUID] = []
    var contacts: [UUID] = []
    var leads: [UUID] = []
    var deals: [UUID] = []

    static func of(_ kind: CRMRecord, _ id: UUID) -> ActivityRecords {
        switch kind {
        case .client: ActivityRecords(clients: [id])
        case .contact: ActivityRecords(contacts: [id])
        case .lead: ActivityRecords(leads: [id])
        case .deal: ActivityRecords(deals: [id])
        }
    }

    var byKind: [(kind: CRMRecord, ids: [UUID])] {
        [(.client, clients), (.contact, contacts), (.lead, leads), (.deal, deals)].filter { !$0.ids.isEmpty }
    }

    var count: Int { clients.count + contacts.count + leads.count + deals.count }

    /// 422 unless the caller sees each of them; it is kept from being deleted until the transaction ends.
    @inline(never)
    func require(_ call: Call, _ tx: Transaction) async throws {
        for (kind, ids) in byKind {
            let rows = try await tx.query(
                """
                SELECT r.id FROM \(unescaped: kind.table) r
                 WHERE r.company_id = \(call.company) AND r.id = ANY(\(ids)::uuid[])
                   AND \(fragment: CRMAccess.visible(call, "r")) FOR KEY SHARE
                """)
            if rows.count < Set(ids).count {
                throw Problem.unprocessable(
                    "/\(kind.rawValue)_ids", "unknown-\(kind.rawValue)",
                    "names what you do not see or is not there")
            }
        }
    }

    /// One row of links for each record that has none to this activity.
    func insert(_ activity: UUID, company: UUID) -> [SQL] {
        byKind.map { kind, ids in
            let column = "\(kind.rawValue)_id"
            return """
                INSERT INTO activity_links (company_id, activity_id, id, \(unescaped: column), at)
                SELECT a.company_id, a.id, gen_random_uuid(), given.id, a.at
                  FROM activities a, (SELECT DISTINCT unnest(\(ids)::uuid[])) AS given (id)
                 WHERE a.company_id = \(company) AND a.id = \(activity)
                   AND NOT EXISTS (SELECT 1 FROM activity_links l
                                    WHERE l.company_id = a.company_id AND l.activity_id = a.id
                                      AND l.\(unescaped: column) = given.id)
                """
        }
    }
}
