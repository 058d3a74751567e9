import API
import Core
import Postgres
import Wire

/// What others may react to in the life of a lead.
enum LeadEvents {
    static let all = [
        created.erased, updated.erased, assigned.erased, qualified.erased, disqualified.erased,
        reopened.erased,
        converted.erased, scoreChanged.erased, breached.erased, deleted.erased, restored.erased,
        submitted.erased,
    ]

    static let someId = UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a40")!
    static let otherId = UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a41")!

    /// Without addresses, numbers and sums: not everybody who is told may see them.
    struct Data: Codable, Sendable {
        let leadId: UUID
        let contactId: UUID
        let title: String
        let status: LeadStatus
        let ownerId: UUID?
        let sourceId: UUID?
        let score: Int
        /// The fields that changed.
        let changed: [String]?
    }

    private static func example(_ status: LeadStatus, _ changed: [String]? = nil) -> Data {
        Data(
            leadId: someId, contactId: otherId, title: "New shop", status: status, ownerId: nil,
            sourceId: nil, score: 40,
            changed: changed)
    }

    static let created = EventType("lead.created", "A lead came in.", example: example(.new))
    static let updated = EventType(
        "lead.updated", "A lead changed: `changed` names the fields.", example: example(.working, ["status"]))
    static let assigned = EventType("lead.assigned", "A lead was given to somebody.", example: example(.new))
    static let qualified = EventType(
        "lead.qualified", "A lead is worth selling to.", example: example(.qualified))
    static let disqualified = EventType(
        "lead.disqualified", "A lead is not worth more work.", example: example(.disqualified))
    static let reopened = EventType(
        "lead.reopened", "A disqualified lead is worked on again.", example: example(.working))
    static let scoreChanged = EventType(
        "lead.score_changed", "A lead has become hot, or is it no more.",
        example: example(.working, ["score"]))
    static let breached = EventType(
        "lead.sla_breached", "Nobody answered a lead within the promised time.", example: example(.new))
    static let deleted = EventType("lead.deleted", "A lead was put into the trash.", example: example(.new))
    static let restored = EventType(
        "lead.restored", "A lead was taken out of the trash.", example: example(.new))

    struct ConversionData: Codable, Sendable {
        let leadId: UUID
        let contactId: UUID
        let clientId: UUID?
        let dealId: UUID?
    }

    static let converted = EventType(
        "lead.converted", "A lead became a client's deal.",
        example: ConversionData(leadId: someId, contactId: otherId, clientId: otherId, dealId: someId))

    struct SubmissionData: Codable, Sendable {
        let submissionId: UUID
        let formId: UUID?
        let contactId: UUID
        let leadId: UUID
        let isNewLead: Bool
    }

    static let submitted = EventType(
        "form.submitted", "Somebody sent a form, and a lead came of it.",
        example: SubmissionData(
            submissionId: someId, formId: otherId, contactId: otherId, leadId: someId, isNewLead: true))

    /// The record and the event of one change of one lead.
    static func story(
        _ type: EventType<Data>, _ action: String, _ lead: LeadHead, changed: [String]? = nil,
        before: JSON? = nil,
        after: JSON? = nil, by actor: Audit.Actor, _ company: UUID
    ) throws -> [SQL] {
        let data = Data(
            leadId: lead.id, contactId: lead.contactId, title: lead.title, status: lead.status,
            ownerId: lead.ownerId,
            sourceId: lead.sourceId, score: lead.score, changed: changed)
        return [
            Audit.sql(
                Audit.Entry(action, on: "lead", lead.id, before: before, after: after), by: actor,
                company: company),
            try Events.sql(type, data, on: "lead", lead.id, by: actor, company: company),
        ]
    }
}

/// What decisions about a lead look at.
struct LeadHead: Sendable, Decodable {
    let id: UUID
    let contactId: UUID
    let clientId: UUID?
    let clientName: String?
    let title: String
    var status: LeadStatus
    var ownerId: UUID?
    let sourceId: UUID?
    let score: Int
    let slaDueAt: Timestamp?
    let firstResponseAt: Timestamp?
    let version: Int64

    static let columns: SQL = """
        l.id, l.contact_id, l.client_id, l.client_name, l.title, l.status, l.owner_id, l.source_id, l.score, l.sla_due_at,
        l.first_response_at, l.version
        """

    /// FOR UPDATE: two who decide at once do so one after the other.
    @inline(never)
    static func lock(
        _ id: UUID, _ company: UUID, _ tx: Transaction, if condition: SQL = "l.deleted_at IS NULL"
    ) async throws -> LeadHead {
        let rows = try await tx.query(
            """
            SELECT \(fragment: columns) FROM leads l
             WHERE l.company_id = \(company) AND l.id = \(id) AND \(fragment: condition) FOR UPDATE OF l
            """)
        guard let row = rows.first else { throw Problem.notFound }
        return try row.decode(LeadHead.self)
    }
}
