import API
import Core
import Postgres
import Wire

/// Who is on his way through a sequence.
enum Enrolments {
    @RouteList static var routes: [Route] {
        POST("/v1/sequences/{id}/enrol", "Enrol contacts", .can(.crmWrite), enrol).operation("enrolContacts")
            .problems(.sequenceInactive, .segmentCircle)
            .describe(
                "By `contact_ids`, or those of a `segment_id` as the caller finds it. Who is on his way already stays where he is."
            )
            .example(body: ["contact_ids": [ActivityExamples.contact]], answer: ["enrolled": 1])
        GET("/v1/sequences/{id}/enrolments", "List who is enrolled", .can(.crmRead), list)
            .operation("listEnrolments").example(answer: example)
        POST("/v1/enrolments/{id}/pause", "Pause an enrolment", .can(.crmWrite), pause).operation(
            "pauseEnrolment"
        )
        .problems(.enrolmentEnded).example(answer: example)
        POST("/v1/enrolments/{id}/resume", "Let an enrolment go on", .can(.crmWrite), resume).operation(
            "resumeEnrolment"
        )
        .problems(.enrolmentEnded).example(answer: example)
        POST("/v1/enrolments/{id}/stop", "Stop an enrolment", .can(.crmWrite), stop).operation(
            "stopEnrolment"
        )
        .problems(.enrolmentEnded).example(answer: example)
    }

    private static let example: JSON = [
        "id": "0197e3a0-8f6c-7c21-9f0e-2b1f4f6f8d20", "sequence_id": "0197e3a0-8f6c-7c21-9f0e-2b1f4f6f8c20",
        "number": 1,
        "contact_id": ActivityExamples.contact, "contact_name": "Anna Berg", "state": "active", "step": 0,
        "due_at": "2026-11-25T08:00:00Z", "stopped_for": nil, "ended_at": nil,
        "created_at": "2026-11-24T08:00:00Z",
    ]

    struct Wish: Codable, Sendable {
        let contactIds: UpTo<500, UUID>?
        let segmentId: UUID?
    }

    struct Outcome: Codable, Sendable {
        let enrolled: Int
    }

    struct Filter: ListFilter {
        let state: [Enrolment.State]?
        let contactId: UUID?
        static let sorts = ["-created_at", "due_at"]
    }

    private static func select(_ call: Call) throws -> SQL {
        """
        SELECT e.id, e.sequence_id, e.number, e.contact_id, r.name AS contact_name, e.state, e.step, e.due_at, e.stopped_for,
               e.ended_at, e.created_at
          FROM sequence_enrolments e JOIN contacts r ON r.company_id = e.company_id AND r.id = e.contact_id
         WHERE e.company_id = \(try call.company) AND \(fragment: try CRMAccess.visible(call, "r"))
        """
    }

    static func list(_ call: Call, _ id: Path<UUID>, _ list: List<Filter>) async throws -> Page<Enrolment> {
        let known = try await call.db.query(
            "SELECT 1 FROM sequences WHERE company_id = \(call.company) AND id = \(id.value) AND archived_at IS NULL"
        )
        if known.isEmpty { throw Problem.notFound }
        return try await call.page(list, "\(fragment: select(call)) AND e.sequence_id = \(id.value)")
    }

    static func enrol(_ call: Call, _ id: Path<UUID>, _ body: Body<Wish>) async throws -> Single<Outcome> {
        guard let principal = call.principal else { throw Problem.unauthorized }
        let who: SQL
        switch (body.contactIds, body.segmentId) {
        case (let contacts?, nil): who = "r.id = ANY(\(contacts.items)::uuid[])"
        case (nil, let segment?):
            who = try await Segments.condition(
                segment, of: .contact, on: "r.id", principal, call.environment, call.db)
        default:
            throw Problem.unprocessable(
                "/contact_ids", "one-of", "send one of `contact_ids` and `segment_id`")
        }
        let company = try call.company
        let rows = try await call.db.query(
            "SELECT is_active FROM sequences WHERE company_id = \(company) AND id = \(id.value) AND archived_at IS NULL"
        )
        guard let row = rows.first else { throw Problem.notFound }
        if try !row.get("is_active", as: Bool.self) { throw Problem(.sequenceInactive) }
        let those: SQL = """
            SELECT r.id FROM contacts r
             WHERE r.company_id = \(company) AND \(fragment: CRMAccess.visible(principal, "r")) AND \(fragment: who)
            """
        let entry = Audit.Entry("sequence.enrolled", on: "sequence", id.value)
        let answers = try await call.db.write([
            insert(those, into: id.value, by: principal.memberId, company), ActivityUpkeep.expect(company),
            Audit.sql(entry, by: call.actor, company: company),
        ])
        return Single(Outcome(enrolled: answers[0].affected))
    }

    /// Enrols those contacts at the version that is current, unless they are on their way.
    static func insert(
        _ contacts: SQL, into sequence: UUID, by member: UUID?, lead: UUID? = nil, _ company: UUID
    ) -> SQL {
        """
        INSERT INTO sequence_enrolments (company_id, id, sequence_id, number, contact_id, lead_id, due_at, enrolled_by)
        SELECT q.company_id, gen_random_uuid(), q.id, q.current, given.id, \(lead)::uuid,
               now() + make_interval(hours => coalesce((v.steps -> 0 ->> 'wait_hours')::integer, 0)), \(member)::uuid
          FROM sequences q
          JOIN sequence_versions v ON v.company_id = q.company_id AND v.sequence_id = q.id AND v.number = q.current,
               (\(fragment: contacts)) AS given (id)
         WHERE q.company_id = \(company) AND q.id = \(sequence) AND q.is_active
        ON CONFLICT DO NOTHING
        """
    }

    static func pause(_ call: Call, _ id: Path<UUID>) async throws -> Single<Enrolment> {
        try await set("state = 'paused'", id.value, "enrolment.paused", call)
    }

    static func resume(_ call: Call, _ id: Path<UUID>) async throws -> Single<Enrolment> {
        try await set(
            "state = 'active', due_at = greatest(due_at, now())", id.value, "enrolment.resumed", call)
    }

    static func stop(_ call: Call, _ id: Path<UUID>) async throws -> Single<Enrolment> {
        try await set(
            "state = 'stopped', stopped_for = 'by-hand', ended_at = now()", id.value, "enrolment.stopped",
            call)
    }

    @inline(never)
    private static func set(_ change: SQL, _ id: UUID, _ action: String, _ call: Call) async throws -> Single<
        Enrolment
    > {
        let company = try call.company
        let known = try await call.db.query("\(fragment: select(call)) AND e.id = \(id)")
        if known.isEmpty { throw Problem.notFound }
        let changed = try await call.db.write([
            """
            UPDATE sequence_enrolments SET \(fragment: change)
             WHERE company_id = \(company) AND id = \(id) AND state IN ('active', 'paused') RETURNING id
            """,
            ActivityUpkeep.expect(company),
        ])
        if changed[0].isEmpty { throw Problem(.enrolmentEnded) }
        _ = try await call.db.write([
            Audit.sql(Audit.Entry(action, on: "enrolment", id), by: call.actor, company: company)
        ])
        let row = try await call.db.query("\(fragment: select(call)) AND e.id = \(id)")
        return try Single(row)
    }
}
