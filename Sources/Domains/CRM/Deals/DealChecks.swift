import API
import Core
import Postgres
import Wire

/// What must be true of what a deal points at.
enum DealChecks {
    /// Everything drafts name is there, and is not in the trash.
    @inline(never)
    static func check(_ drafts: [DealWriting.Draft], _ company: UUID, _ tx: Transaction) async throws {
        for draft in drafts where (draft.amountMinor == nil) != (draft.currency == nil) {
            throw Problem.unprocessable(
                "/currency", "with-amount", "goes with `amount_minor`: both or neither")
        }
        try await check(
            clients: drafts.compactMap(\.clientId), contacts: drafts.compactMap(\.contactId),
            owners: drafts.compactMap(\.ownerId), sources: drafts.compactMap(\.sourceId), company, tx)
        try await Tags.mustExist(drafts.flatMap(\.tags).unique, at: "/tag_ids", company: company, in: tx)
    }

    @inline(never)
    static func check(
        clients: [UUID], contacts: [UUID], owners: [UUID], sources: [UUID], _ company: UUID, _ tx: Transaction
    ) async throws {
        if clients.isEmpty, contacts.isEmpty, owners.isEmpty, sources.isEmpty { return }
        let rows = try await tx.query(
            """
            SELECT '/client_id' AS pointer, 'is no client of this company' AS detail FROM unnest(\(clients)::uuid[]) AS asked (id)
             WHERE NOT EXISTS (SELECT 1 FROM clients c WHERE c.company_id = \(company) AND c.id = asked.id AND c.deleted_at IS NULL)
            UNION ALL
            SELECT '/contact_id', 'is no contact of this company' FROM unnest(\(contacts)::uuid[]) AS asked (id)
             WHERE NOT EXISTS (SELECT 1 FROM contacts c WHERE c.company_id = \(company) AND c.id = asked.id AND c.deleted_at IS NULL)
            UNION ALL
            SELECT '/owner_id', 'is no active member of this company' FROM unnest(\(owners)::uuid[]) AS asked (id)
             WHERE NOT EXISTS (SELECT 1 FROM memberships m
                                WHERE m.company_id = \(company) AND m.id = asked.id AND m.status = 'active')
            UNION ALL
            SELECT '/source_id', 'is no lead source of this company' FROM unnest(\(sources)::uuid[]) AS asked (id)
             WHERE NOT EXISTS (SELECT 1 FROM lead_sources s WHERE s.company_id = \(company) AND s.id = asked.id)
            """)
        let faults = try rows.map { Fault.at(try $0.get("pointer"), "not-found", try $0.get("detail")) }
        if !faults.isEmpty { throw Problem.unprocessable(faults) }
    }
}
