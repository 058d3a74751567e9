import API
import Core
import Postgres
import Wire

/// Takes the steps that are due. Each is taken in one transaction with the row that says so, so that a process that dies
/// between two steps repeats none.
enum SequenceRun {
    private static let takenAtOnce = 50

    static func run(_ company: UUID, _ db: Database, _ environment: Environment) async throws {
        let optOut = SequenceOptOut(environment)
        while true {
            let taken = try await db.transaction(as: Tenant(company: company)) { tx in
                try await round(company, optOut, tx)
            }
            if taken < takenAtOnce { return }
        }
    }

    private struct Due: Decodable, Sendable {
        let id: UUID
        let sequenceId: UUID
        let step: Int
        let contactId: UUID
        let steps: [SequenceStep]
        let dailyMax: Int
        let sentToday: Int
        let name: String
        let firstName: String?
        let email: String?
        let locale: String?
        let ownerId: UUID?
        let sender: String
        let slot: Timestamp
        let isInHours: Bool
        let stopFor: String?
    }

    @inline(never)
    private static func round(_ company: UUID, _ optOut: SequenceOptOut, _ tx: Transaction) async throws
        -> Int
    {
        let rows = try await tx.query(due(company))
        var sent: [UUID: Int] = [:]
        for one in try rows.decode(Due.self) {
            let count = sent[one.sequenceId] ?? one.sentToday
            let isSent = try await take(one, sentToday: count, company, optOut, tx)
            sent[one.sequenceId] = count + (isSent ? 1 : 0)
        }
        return rows.count
    }

    private static func due(_ company: UUID) -> SQL {
        """
        SELECT e.id, e.sequence_id, e.step, e.contact_id, v.steps, q.daily_max,
               (SELECT count(*)::integer FROM sequence_steps t
                 WHERE t.company_id = e.company_id AND t.sequence_id = e.sequence_id AND t.kind = 'email'
                   AND t.at >= date_trunc('day', now())) AS sent_today,
               c.name, c.first_name, c.email, c.locale, c.owner_id, co.name AS sender,
               ((place.day + CASE WHEN place.day = place.here::date THEN greatest(place.here::time, make_time(q.from_hour, 0, 0))
                                  ELSE make_time(q.from_hour, 0, 0) END) AT TIME ZONE place.zone) AS slot,
               extract(isodow FROM place.here) < 6 AND extract(hour FROM place.here) >= q.from_hour
                   AND extract(hour FROM place.here) < q.to_hour AS is_in_hours,
               \(fragment: stopFor) AS stop_for
          FROM sequence_enrolments e
          JOIN sequences q ON q.company_id = e.company_id AND q.id = e.sequence_id AND q.is_active
          JOIN sequence_versions v ON v.company_id = e.company_id AND v.sequence_id = e.sequence_id AND v.number = e.number
          JOIN contacts c ON c.company_id = e.company_id AND c.id = e.contact_id
          JOIN companies co ON co.id = e.company_id
         CROSS JOIN LATERAL (SELECT coalesce(c.time_zone, co.time_zone) AS zone) AS z
         CROSS JOIN LATERAL (SELECT now() AT TIME ZONE z.zone AS here, z.zone) AS h
         CROSS JOIN LATERAL (SELECT h.here::date + CASE WHEN extract(hour FROM h.here) >= q.to_hour THEN 1 ELSE 0 END AS day) AS d
         CROSS JOIN LATERAL (
            SELECT h.here, h.zone, d.day + CASE extract(isodow FROM d.day) WHEN 6 THEN 2 WHEN 7 THEN 1 ELSE 0 END AS day) AS place
         WHERE e.company_id = \(company) AND e.state = 'active' AND e.due_at <= now()
         ORDER BY e.due_at LIMIT \(takenAtOnce) FOR UPDATE OF e SKIP LOCKED
        """
    }

    /// Why somebody gets nothing more; null while he does.
    private static let stopFor: SQL = """
        CASE WHEN c.deleted_at IS NOT NULL THEN 'contact-deleted'
             WHEN EXISTS (SELECT 1 FROM sequence_optouts o WHERE o.company_id = e.company_id AND o.address = lower(c.email))
                  THEN 'opted-out'
             WHEN (SELECT consent.state FROM contact_consents consent
                    WHERE consent.company_id = e.company_id AND consent.contact_id = e.contact_id AND consent.channel = 'email'
                    ORDER BY consent.at DESC, consent.id DESC LIMIT 1) IN ('denied', 'withdrawn') THEN 'opted-out'
             WHEN EXISTS (SELECT 1 FROM activity_links l JOIN activities a ON a.company_id = l.company_id AND a.id = l.activity_id
                           WHERE l.company_id = e.company_id AND l.contact_id = e.contact_id AND l.at >= e.created_at
                             AND a.kind = 'email' AND a.direction = 'in' AND a.deleted_at IS NULL) THEN 'reply'
             WHEN EXISTS (SELECT 1 FROM leads l WHERE l.company_id = e.company_id AND l.contact_id = e.contact_id
                             AND (l.id = e.lead_id OR e.lead_id IS NULL)
                             AND (l.converted_at >= e.created_at OR l.disqualified_at >= e.created_at)) THEN 'lead-closed'
             WHEN EXISTS (SELECT 1 FROM deals d WHERE d.company_id = e.company_id AND d.contact_id = e.contact_id
                             AND d.stage_kind = 'won' AND d.closed_at >= e.created_at) THEN 'deal-won' END
        """

    /// True when a letter went out.
    @inline(never)
    private static func take(
        _ one: Due, sentToday: Int, _ company: UUID, _ optOut: SequenceOptOut, _ tx: Transaction
    ) async throws -> Bool {
        if let reason = one.stopFor { return try await stop(one, reason, company, tx) }
        guard one.steps.indices.contains(one.step) else { return try await advance(one, company, tx) }
        let step = one.steps[one.step]
        if step.kind == .email {
            guard let address = one.email else { return try await stop(one, "no-address", company, tx) }
            if !one.isInHours { return try await wait(one, until: "\(one.slot)", company, tx) }
            if sentToday >= one.dailyMax {
                return try await wait(one, until: "now() + interval '1 hour'", company, tx)
            }
            guard try await isFirst(one, step, company, tx) else {
                return try await advance(one, company, tx)
            }
            try await send(step, one, to: address, company, optOut, tx)
        } else if try await isFirst(one, step, company, tx) {
            try await act(step, one, company, tx)
        }
        _ = try await advance(one, company, tx)
        return step.kind == .email
    }

    /// The row of the step, which only one can write.
    private static func isFirst(_ one: Due, _ step: SequenceStep, _ company: UUID, _ tx: Transaction)
        async throws -> Bool
    {
        let rows = try await tx.query(
            """
            INSERT INTO sequence_steps (company_id, enrolment_id, step, kind, sequence_id)
            VALUES (\(company), \(one.id), \(one.step), \(step.kind), \(one.sequenceId))
            ON CONFLICT DO NOTHING RETURNING step
            """)
        return !rows.isEmpty
    }

    @inline(never)
    private static func send(
        _ step: SequenceStep, _ one: Due, to address: String, _ company: UUID, _ optOut: SequenceOptOut,
        _ tx: Transaction
    ) async throws {
        let (subject, body) = (spoken(step.subject?.text ?? "", one), spoken(step.body?.text ?? "", one))
        let message = Mail.Message(
            .letter, to: address, locale: one.locale ?? "en",
            context: [
                "subject": subject, "body": "\(body)\n\n\(one.sender)",
                "unsubscribe": optOut.link(for: address, company),
            ],
            company: company, onceKey: "sequence:\(one.id):\(one.step)")
        try await Mail.queue(message, in: tx)
        var entry = Timeline.Entry(.email, subject, on: .of(.contact, one.contactId))
        (entry.body, entry.direction, entry.to) = (body, .out, [address])
        (entry.source, entry.externalId) = ("sequence", "\(one.id):\(one.step)")
        try await Timeline.log(entry, by: .system, company: company, in: tx)
    }

    /// What stands for the contact's own name.
    private static func spoken(_ text: String, _ one: Due) -> String {
        let first = one.firstName ?? String(one.name.prefix { $0 != " " })
        return text.split(separator: "{{first_name}}", omittingEmptySubsequences: false).joined(
            separator: first
        )
        .split(separator: "{{name}}", omittingEmptySubsequences: false).joined(separator: one.name)
    }

    @inline(never)
    private static func act(_ step: SequenceStep, _ one: Due, _ company: UUID, _ tx: Transaction) async throws
    {
        switch step.kind {
        case .email: return
        case .activity:
            var entry = Timeline.Entry(
                .call, spoken(step.subject?.text ?? "", one), on: .of(.contact, one.contactId))
            (entry.body, entry.dueAt, entry.owner, entry.direction) = (
                step.body?.text, one.slot, one.ownerId, .out
            )
            (entry.source, entry.externalId) = ("sequence", "\(one.id):\(one.step)")
            try await Timeline.log(entry, by: .system, company: company, in: tx)
        case .field:
            _ = try await tx.query(
                """
                UPDATE contacts SET lifecycle = \(step.value?.text ?? ""), version = version + 1, updated_at = now()
                 WHERE company_id = \(company) AND id = \(one.contactId)
                """)
        }
    }

    private static func wait(_ one: Due, until moment: SQL, _ company: UUID, _ tx: Transaction) async throws
        -> Bool
    {
        _ = try await tx.query(
            """
            UPDATE sequence_enrolments SET due_at = greatest(\(fragment: moment), now() + interval '1 minute')
             WHERE company_id = \(company) AND id = \(one.id)
            """)
        return false
    }

    @inline(never)
    private static func advance(_ one: Due, _ company: UUID, _ tx: Transaction) async throws -> Bool {
        let next = one.step + 1
        if one.steps.indices.contains(next) {
            let hours = one.steps[next].waitHours.map { Int($0.value) } ?? 0
            _ = try await tx.query(
                """
                UPDATE sequence_enrolments SET step = \(next), due_at = now() + make_interval(hours => \(hours))
                 WHERE company_id = \(company) AND id = \(one.id)
                """)
            return false
        }
        _ = try await tx.batch([
            """
            UPDATE sequence_enrolments SET state = 'finished', step = \(next), ended_at = now()
             WHERE company_id = \(company) AND id = \(one.id)
            """,
            try SequenceEvents.sql(
                SequenceEvents.finished, one.id, one.sequenceId, one.contactId, nil, company),
        ])
        return false
    }

    @inline(never)
    private static func stop(_ one: Due, _ reason: String, _ company: UUID, _ tx: Transaction) async throws
        -> Bool
    {
        _ = try await tx.batch([
            """
            UPDATE sequence_enrolments SET state = 'stopped', stopped_for = \(reason), ended_at = now()
             WHERE company_id = \(company) AND id = \(one.id)
            """,
            try SequenceEvents.sql(
                SequenceEvents.stopped, one.id, one.sequenceId, one.contactId, reason, company),
        ])
        return false
    }
}
