import Core
import Postgres
import Wire

/// What others may react to, and what sequences react to themselves.
enum SequenceEvents {
    static let all = [finished.erased, stopped.erased]

    struct Data: Codable, Sendable {
        let enrolmentId: UUID
        let sequenceId: UUID
        let contactId: UUID
        let reason: String?
    }

    private static let id = UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6f8d20")!
    static let finished = EventType(
        "sequence.finished", "Somebody has come to the end of a sequence.",
        example: Data(enrolmentId: id, sequenceId: id, contactId: id, reason: nil))
    static let stopped = EventType(
        "sequence.stopped", "Somebody gets nothing more of a sequence: `reason` says why.",
        example: Data(enrolmentId: id, sequenceId: id, contactId: id, reason: "reply"))

    static func sql(
        _ type: EventType<Data>, _ enrolment: UUID, _ sequence: UUID, _ contact: UUID, _ reason: String?,
        _ company: UUID
    ) throws -> SQL {
        let data = Data(enrolmentId: enrolment, sequenceId: sequence, contactId: contact, reason: reason)
        return try Events.sql(type, data, on: "enrolment", enrolment, by: .system, company: company)
    }

    /// Enrols the contact an event is about into the sequences that wait for it.
    static let enrol = Reaction("crm.sequence-triggers", on: .types(SequenceTrigger.allCases.map(\.rawValue)))
    { event, tx, _ in
        try await react(to: event, tx)
    }

    @inline(never)
    private static func react(to event: Event, _ tx: Transaction) async throws {
        let company = event.company
        let rows = try await tx.query(
            "SELECT id FROM sequences WHERE company_id = \(company) AND is_active AND \(event.type) = ANY(triggers)"
        )
        if rows.isEmpty { return }
        let named = event.data["contact_id"]?.stringValue.flatMap { UUID($0) }
        let lead =
            event.subjectType == "lead"
            ? event.subjectId : event.data["lead_id"]?.stringValue.flatMap { UUID($0) }
        let contacts: SQL = """
            SELECT r.id FROM contacts r
             WHERE r.company_id = \(company) AND r.deleted_at IS NULL AND r.id = coalesce(
                \(named)::uuid,
                (SELECT l.contact_id FROM leads l WHERE l.company_id = \(company) AND l.id = \(lead)::uuid),
                (SELECT d.contact_id FROM deals d WHERE d.company_id = \(company) AND d.id = \(event.subjectId)))
            """
        let known: SQL = "(SELECT l.id FROM leads l WHERE l.company_id = \(company) AND l.id = \(lead)::uuid)"
        let found = try await tx.query("SELECT \(fragment: known) AS id")
        let leadId = try found[0].get("id", as: UUID?.self)
        let inserts = try rows.map { row in
            Enrolments.insert(contacts, into: try row.get("id"), by: nil, lead: leadId, company)
        }
        _ = try await tx.batch(inserts + [ActivityUpkeep.expect(company)])
    }
}
