import Core
import Postgres
import Wire

/// What others may react to, recorded in the transaction of the change.
enum DealEvents {
    static let all = [
        created.erased, updated.erased, stageChanged.erased, won.erased, lost.erased, reopened.erased,
        deleted.erased,
        restored.erased,
    ]

    private static let deal = UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6fa001")!
    private static let pipeline = UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6fa002")!
    private static let stage = UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6fa003")!
    private static let next = UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6fa004")!
    private static let client = UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6fa005")!
    private static let owner = UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6fa006")!

    struct DealData: Codable, Sendable {
        let dealId: UUID
        let name: String
        let pipelineId: UUID
        let stageId: UUID
        let clientId: UUID?
        let contactId: UUID?
        let leadId: UUID?
        let ownerId: UUID?
        let amountMinor: Int64?
        let currency: String?
    }

    private static let example = DealData(
        dealId: deal, name: "Relaunch of the shop", pipelineId: pipeline, stageId: stage, clientId: client,
        contactId: nil,
        leadId: nil, ownerId: owner, amountMinor: 1_250_000, currency: "EUR")
    static let created = EventType("deal.created", "A deal was made.", example: example)
    static let won = EventType("deal.won", "A deal was won.", example: example)
    static let reopened = EventType(
        "deal.reopened", "A deal that was won or lost is open again.", example: example)
    static let deleted = EventType("deal.deleted", "A deal was put into the trash.", example: example)
    static let restored = EventType("deal.restored", "A deal was taken out of the trash.", example: example)

    struct UpdateData: Codable, Sendable {
        let dealId: UUID
        let name: String
        let changed: [String]
    }

    static let updated = EventType(
        "deal.updated", "A deal changed: `changed` names the fields.",
        example: UpdateData(dealId: deal, name: "Relaunch of the shop", changed: ["close_on", "owner_id"]))

    struct StageData: Codable, Sendable {
        let dealId: UUID
        let name: String
        let fromPipelineId: UUID
        let toPipelineId: UUID
        let fromStageId: UUID
        let toStageId: UUID
        let fromKind: StageKind
        let toKind: StageKind
    }

    static let stageChanged = EventType(
        "deal.stage_changed", "A deal is in another stage.",
        example: StageData(
            dealId: deal, name: "Relaunch of the shop", fromPipelineId: pipeline, toPipelineId: pipeline,
            fromStageId: stage,
            toStageId: next, fromKind: .open, toKind: .open))

    struct LossData: Codable, Sendable {
        let dealId: UUID
        let name: String
        let ownerId: UUID?
        let reasonId: UUID?
        let competitorId: UUID?
    }

    static let lost = EventType(
        "deal.lost", "A deal was lost.",
        example: LossData(
            dealId: deal, name: "Relaunch of the shop", ownerId: owner, reasonId: nil, competitorId: nil))
}
