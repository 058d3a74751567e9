import API
import Core
import Postgres
import Wire

/// What came in by forms and keys, as it came, and what became of it.
enum Submissions {
    @RouteList static var routes: [Route] {
        GET("/v1/submissions", "List submissions", .can(.crmRead), list)
            .describe(
                "`state=held` is what waits for a person. What came in reads null without crm:contact-data.")
        GET("/v1/submissions/{id}", "Read a submission", .can(.crmRead), read)
        POST("/v1/submissions/{id}/reprocess", "Process a submission again", .can(.crmManage), reprocess)
            .operation("reprocessSubmission").problems(.submissionSettled)
        POST("/v1/submissions/{id}/mark-spam", "Say that a submission is spam", .can(.crmManage), markSpam)
            .operation("markSubmissionSpam").problems(.submissionSettled)
        POST("/v1/submissions/{id}/mark-ham", "Say that a submission is no spam", .can(.crmManage), markHam)
            .operation("markSubmissionHam").problems(.submissionSettled).describe("It is processed at once.")
        GET("/v1/forms/{id}/submissions", "List a form's submissions", .can(.crmRead), ofForm).operation(
            "listFormSubmissions")
        GET("/v1/forms/{id}/stats", "Count a form's submissions", .can(.crmRead), stats).operation(
            "countFormSubmissions")
    }

    struct Submission: Codable, Sendable {
        let id: UUID
        let formId: UUID?
        let captureKeyId: UUID?
        let via: String
        let state: SubmissionState
        let reason: String?
        let raw: JSON
        let address: String?
        let origin: String?
        let contactId: UUID?
        let leadId: UUID?
        let isNewLead: Bool?
        let confirmedAt: Timestamp?
        let processedAt: Timestamp?
        let receivedAt: Timestamp
    }

    struct Filter: ListFilter {
        let state: [SubmissionState]?
        let formId: [UUID]?
        let leadId: UUID?
        let contactId: UUID?
        let receivedAt: Bounds<Timestamp>?
        static let sorts = ["-received_at"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Submission> {
        try await call.page(list, select(call))
    }

    @inline(never)
    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Submission> {
        let rows = try await call.db.query("\(fragment: select(call)) AND s.id = \(id)")
        return try Single(rows)
    }

    static func ofForm(_ call: Call, _ id: Path<UUID>, _ list: List<Filter>) async throws -> Page<Submission>
    {
        try await mustExist(id.value, call)
        return try await call.page(list, "\(fragment: select(call)) AND s.form_id = \(id)")
    }

    private static func mustExist(_ form: UUID, _ call: Call) async throws {
        let rows = try await call.db.query(
            "SELECT 1 FROM forms WHERE company_id = \(call.company) AND id = \(form)")
        if rows.isEmpty { throw Problem.notFound }
    }

    /// Of leads one may see; what has none yet is seen by whoever sees leads that nobody has.
    private static func select(_ call: Call) throws -> SQL {
        guard let principal = call.principal else { throw Problem.unauthorized }
        let seesUnowned =
            principal.permissions.contains(.crmReadAll) || principal.permissions.contains(.crmReadTeam)
        let seesData = principal.permissions.contains(.crmContactData)
        return """
            SELECT s.id, s.form_id, s.capture_key_id, coalesce(f.name, k.name) AS via, s.state, s.reason,
                   CASE WHEN \(seesData) THEN s.raw END AS raw, CASE WHEN \(seesData) THEN s.address END AS address, s.origin,
                   s.contact_id, s.lead_id, s.is_new_lead, s.confirmed_at, s.processed_at, s.received_at
              FROM submissions s
              LEFT JOIN forms f ON f.company_id = s.company_id AND f.id = s.form_id
              LEFT JOIN capture_keys k ON k.company_id = s.company_id AND k.id = s.capture_key_id
             WHERE s.company_id = \(try call.company)
               AND (s.lead_id IS NULL AND \(seesUnowned)
                    OR EXISTS (SELECT 1 FROM leads l WHERE l.company_id = s.company_id AND l.id = s.lead_id
                                  AND \(fragment: CRMAccess.visible(principal, "l"))))
            """
    }

    static func reprocess(_ call: Call, _ id: Path<UUID>) async throws -> Single<Submission> {
        try await move(id.value, to: .received, from: [.held, .error, .spam], "reprocessed", call)
        return try await read(call, id)
    }

    static func markSpam(_ call: Call, _ id: Path<UUID>) async throws -> Single<Submission> {
        try await move(
            id.value, to: .spam, from: [.held, .error, .unconfirmed, .received], "marked_spam", call)
        return try await read(call, id)
    }

    static func markHam(_ call: Call, _ id: Path<UUID>) async throws -> Single<Submission> {
        try await move(id.value, to: .received, from: [.spam], "marked_ham", call)
        return try await read(call, id)
    }

    @inline(never)
    private static func move(
        _ id: UUID, to state: SubmissionState, from states: [SubmissionState], _ act: String, _ call: Call
    ) async throws {
        try await call.db.transaction { tx in try await moved(id, to: state, from: states, act, call, tx) }
    }

    @inline(never)
    private static func moved(
        _ id: UUID, to state: SubmissionState, from states: [SubmissionState], _ act: String, _ call: Call,
        _ tx: Transaction
    ) async throws {
        let company = try call.company
        let there = try await tx.query("\(fragment: select(call)) AND s.id = \(id) FOR UPDATE OF s")
        guard let row = there.first else { throw Problem.notFound }
        let now: SubmissionState = try row.get("state")
        guard states.contains(now) else { throw Problem(.submissionSettled, "It is \(now.rawValue).") }
        _ = try await tx.query(
            """
            UPDATE submissions SET state = \(state), reason = \(state == .spam ? "marked by a person" : nil)::text
             WHERE company_id = \(company) AND id = \(id)
            """)
        if state == .received {
            try await Jobs.enqueue(SubmissionWork.process, .init(submission: id), company: company, in: tx)
        }
        let entry = Audit.Entry(
            "submission.\(act)", on: "submission", id, before: ["state": .string(now.rawValue)])
        try await Audit.record(entry, by: call.actor, company: company, in: tx)
    }

    struct Stats: Codable, Sendable {
        let total: Int
        let processed: Int
        let held: Int
        let spam: Int
        let failed: Int
        let unconfirmed: Int
        let newLeads: Int
        let lastReceivedAt: Timestamp?
    }

    static func stats(_ call: Call, _ id: Path<UUID>) async throws -> Single<Stats> {
        try await mustExist(id.value, call)
        let rows = try await call.db.report(
            """
            SELECT count(*)::integer AS total, (count(*) FILTER (WHERE state = 'processed'))::integer AS processed,
                   (count(*) FILTER (WHERE state = 'held'))::integer AS held,
                   (count(*) FILTER (WHERE state = 'spam'))::integer AS spam,
                   (count(*) FILTER (WHERE state = 'error'))::integer AS failed,
                   (count(*) FILTER (WHERE state = 'unconfirmed'))::integer AS unconfirmed,
                   (count(*) FILTER (WHERE is_new_lead))::integer AS new_leads, max(received_at) AS last_received_at
              FROM submissions WHERE company_id = \(call.company) AND form_id = \(id)
            """)
        return try Single(rows)
    }
}
