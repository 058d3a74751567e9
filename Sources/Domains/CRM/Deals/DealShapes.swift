import API
import Core
import Postgres
import Wire

/// A deal as lists show it.
struct DealSummary: Codable, Sendable, FieldNotes {
    let id: UUID
    let name: String
    let pipelineId: UUID
    let stageId: UUID
    let stageName: String
    let kind: StageKind
    let clientId: UUID?
    let clientName: String?
    let contactId: UUID?
    let contactName: String?
    let ownerId: UUID?
    let leadId: UUID?
    let sourceId: UUID?
    let amountMinor: Int64?
    let currency: String?
    let baseMinor: Int64?
    let weightedMinor: Int64?
    let amountIsOfLines: Bool
    let probabilityBp: Int
    let closeOn: LocalDate?
    let rank: String
    let isStuck: Bool
    let stageEnteredAt: Timestamp
    let closedAt: Timestamp?
    let tagIds: [UUID]
    let custom: [String: JSON]
    let archivedAt: Timestamp?
    let deletedAt: Timestamp?
    let version: Int
    let createdAt: Timestamp
    let updatedAt: Timestamp

    static let fieldNotes = DealNotes.all
}

/// A deal with all there is to it.
struct Deal: Codable, Sendable, FieldNotes {
    let id: UUID
    let name: String
    let description: String?
    let pipelineId: UUID
    let stageId: UUID
    let stageName: String
    let kind: StageKind
    let clientId: UUID?
    let clientName: String?
    let contactId: UUID?
    let contactName: String?
    let ownerId: UUID?
    let leadId: UUID?
    let sourceId: UUID?
    let amountMinor: Int64?
    let currency: String?
    let baseMinor: Int64?
    let weightedMinor: Int64?
    let amountIsOfLines: Bool
    let probabilityBp: Int
    let closeOn: LocalDate?
    let rank: String
    let isStuck: Bool
    let stageEnteredAt: Timestamp
    let closedAt: Timestamp?
    let lostReasonId: UUID?
    let lostNote: String?
    let lostToId: UUID?
    let competitorIds: [UUID]
    let tagIds: [UUID]
    let custom: [String: JSON]
    let createdBy: UUID?
    let archivedAt: Timestamp?
    let deletedAt: Timestamp?
    let version: Int
    let createdAt: Timestamp
    let updatedAt: Timestamp

    static let fieldNotes = DealNotes.all
}

private enum DealNotes {
    static let all = [
        "kind": "That of its stage.",
        "client_name": "Null where the caller does not see the client.",
        "contact_name": "Null where the caller does not see the contact.",
        "amount_minor": "In the smallest unit of `currency`. Null without crm:amounts, as all amounts.",
        "base_minor":
            "The amount in the company's currency: at the newest rate while the deal is open, at that of its last day once it "
            + "is won or lost. Null while no rate is known.",
        "weighted_minor": "`base_minor` times the probability, rounded half up to the smallest unit.",
        "amount_is_of_lines": "The amount is the sum of its line items; else it was typed.",
        "probability_bp": "Its own, else its stage's; in hundredths of a per cent.",
        "rank": "Its place in the stage's order; compare as bytes.",
        "is_stuck": "Open, and longer in its stage than that stage's `rotting_days`.",
    ]
}

struct NewDeal: Codable, Sendable, FieldNotes {
    let name: Text<200>
    let pipelineId: UUID?
    let stageId: UUID?
    let clientId: UUID?
    let contactId: UUID?
    let ownerId: UUID?
    let sourceId: UUID?
    let amountMinor: Cents?
    let currency: CurrencyCode?
    let probabilityBp: Whole<0, 10_000>?
    let closeOn: LocalDate?
    let description: Prose<20_000>?
    let custom: [String: JSON]?
    let tagIds: UpTo<50, UUID>?

    static let fieldNotes = [
        "pipeline_id": "The default pipeline when absent.",
        "stage_id": "The first open stage when absent.",
        "owner_id": "Whoever makes it, when absent.",
        "currency": "The company's, when absent.",
        "probability_bp": "Where the seller knows better than the stage.",
    ]
}

struct DealChange: Codable, Sendable, FieldNotes {
    let name: Text<200>?
    let clientId: Clearable<UUID>
    let contactId: Clearable<UUID>
    let ownerId: Clearable<UUID>
    let sourceId: Clearable<UUID>
    let amountMinor: Clearable<Cents>
    let currency: CurrencyCode?
    let amountIsOfLines: Bool?
    let probabilityBp: Clearable<Whole<0, 10_000>>
    let closeOn: Clearable<LocalDate>
    let description: Clearable<Prose<20_000>>
    let custom: [String: JSON]?
    let tagIds: UpTo<50, UUID>?

    static let fieldNotes = [
        "amount_is_of_lines": "True sums up the line items; typing an amount ends that.",
        "custom": "Only what is named changes; null empties a field.",
    ]
}

/// What the contract shows of deals.
enum DealExamples {
    static let id: JSON = "0197e3a0-8f6c-7c21-9f0e-2b1f4f6fa001"
    static let other: JSON = "0197e3a0-8f6c-7c21-9f0e-2b1f4f6fa011"
    static let pipeline: JSON = "0197e3a0-8f6c-7c21-9f0e-2b1f4f6fa002"
    static let stage: JSON = "0197e3a0-8f6c-7c21-9f0e-2b1f4f6fa003"
    static let client: JSON = "0197e3a0-8f6c-7c21-9f0e-2b1f4f6fa005"
    static let member: JSON = "0197e3a0-8f6c-7c21-9f0e-2b1f4f6fa006"
    static let contact: JSON = "0197e3a0-8f6c-7c21-9f0e-2b1f4f6fa007"

    static let new: JSON = [
        "name": "Relaunch of the shop", "client_id": client, "contact_id": contact, "amount_minor": 1_250_000,
        "currency": "EUR", "close_on": "2027-01-29",
    ]

    private static func object(_ isWhole: Bool) -> JSON {
        let brief: JSON = [
            "id": id, "name": "Relaunch of the shop", "pipeline_id": pipeline, "stage_id": stage,
            "stage_name": "Proposal",
            "kind": "open", "client_id": client, "client_name": "Nordwind GmbH", "contact_id": contact,
            "contact_name": "Mara Lind", "owner_id": member, "lead_id": nil, "source_id": nil,
            "amount_minor": 1_250_000,
            "currency": "EUR", "base_minor": 1_250_000, "weighted_minor": 625_000,
            "amount_is_of_lines": false,
            "probability_bp": 5_000, "close_on": "2027-01-29", "rank": "a4", "is_stuck": false,
            "stage_entered_at": "2026-11-20T09:12:00Z", "closed_at": nil, "tag_ids": [], "custom": [:],
            "archived_at": nil,
            "deleted_at": nil, "version": 4, "created_at": "2026-11-02T08:30:00Z",
            "updated_at": "2026-11-20T09:12:00Z",
        ]
        guard isWhole, var deal = brief.objectValue else { return brief }
        for (key, value) in [
            ("description", "Shop, checkout and search."), ("lost_reason_id", nil), ("lost_note", nil),
            ("lost_to_id", nil),
            ("competitor_ids", []), ("created_by", member),
        ] as [(String, JSON)] { deal[key] = value }
        return .object(deal)
    }

    static let deal = object(true)
    static let summary = object(false)
}
