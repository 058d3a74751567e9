import Core
import Postgres
import Wire

/// A deal as it is decided on: read and locked.
struct DealSnapshot: Sendable {
    let id: UUID
    let name: String
    let pipelineId: UUID
    let stageId: UUID
    let stageName: String
    let kind: StageKind
    let clientId: UUID?
    let contactId: UUID?
    let leadId: UUID?
    let ownerId: UUID?
    let amountMinor: Int64?
    let currency: String?
    let closeOn: LocalDate?
    let description: String?
    let custom: JSON
    let amountIsOfLines: Bool
    let isDeleted: Bool
    let version: Int64

    /// Deals by their ids, in that order, locked FOR UPDATE; those that are not there are missing.
    @inline(never)
    static func lock(_ ids: [UUID], _ company: UUID, _ tx: Transaction) async throws -> [DealSnapshot] {
        let rows = try await tx.query(
            """
            SELECT d.id, d.name, d.pipeline_id, d.stage_id,
                   (SELECT s.name FROM stages s WHERE s.company_id = d.company_id AND s.id = d.stage_id) AS stage_name,
                   d.stage_kind, d.client_id, d.contact_id, d.lead_id, d.owner_id, d.amount_minor, d.currency, d.close_on,
                   d.description, d.custom::text AS custom, d.amount_is_of_lines, d.deleted_at IS NOT NULL AS is_deleted,
                   d.version
              FROM deals d
             WHERE d.company_id = \(company) AND d.id = ANY(\(ids)::uuid[]) ORDER BY d.id FOR UPDATE
            """)
        return try rows.map(DealSnapshot.init)
    }

    private init(_ row: Row) throws {
        id = try row.get("id")
        name = try row.get("name")
        pipelineId = try row.get("pipeline_id")
        stageId = try row.get("stage_id")
        stageName = try row.get("stage_name")
        kind = try row.get("stage_kind", as: StageKind.self)
        clientId = try row.get("client_id")
        contactId = try row.get("contact_id")
        leadId = try row.get("lead_id")
        ownerId = try row.get("owner_id")
        amountMinor = try row.get("amount_minor")
        currency = try row.get("currency")
        closeOn = try row.get("close_on")
        description = try row.get("description")
        custom = try JSON.parse(row.get("custom", as: String.self))
        amountIsOfLines = try row.get("amount_is_of_lines")
        isDeleted = try row.get("is_deleted")
        version = try row.get("version")
    }

    var data: DealEvents.DealData {
        DealEvents.DealData(
            dealId: id, name: name, pipelineId: pipelineId, stageId: stageId, clientId: clientId,
            contactId: contactId,
            leadId: leadId, ownerId: ownerId, amountMinor: amountMinor, currency: currency)
    }
}
