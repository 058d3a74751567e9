import API
import Core
import Postgres
import Wire

/// What follows when something that hangs on a deal has changed.
enum DealParts {
    @inline(never)
    static func touched(_ deal: UUID, _ names: [String], _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        let rows = try await tx.query(
            """
            UPDATE deals SET version = version + 1, updated_at = now() WHERE company_id = \(company) AND id = \(deal)
            RETURNING name
            """)
        let data = DealEvents.UpdateData(dealId: deal, name: try rows[0].get("name"), changed: names)
        _ = try await tx.batch([
            Audit.sql(
                Audit.Entry(
                    "deal.changed", on: "deal", deal, after: ["changed": .array(names.map(JSON.string))]),
                by: call.actor,
                company: company),
            try Events.sql(DealEvents.updated, data, on: "deal", deal, by: call.actor, company: company),
        ])
    }
}
