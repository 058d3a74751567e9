import API
import Core
import Crypto
import Postgres
import Wire

/// Makes of a submission what it is: a contact, and a lead or one more touch of the open lead there is. What cannot be made
/// a lead is held for a person, with an alarm; nothing is lost at the door.
enum SubmissionWork {
    struct Arguments: Codable, Sendable {
        let submission: UUID
    }

    static let process = JobKind<Arguments>("crm.process-submission", attemptsMax: 8, priority: 3)

    static let handler = JobHandler(process) { arguments, job in
        guard let company = job.company else { return .cancelled("It is for no company.") }
        let (database, environment) = (job.work.database, job.work.environment)
        do {
            try await database.transaction(as: Tenant(company: company)) { tx in
                try await settle(arguments.submission, company, environment, tx)
            }
        } catch let problem as Problem {
            let reason =
                problem.faults.first.map { "\($0.code): \($0.detail)" } ?? problem.detail
                ?? problem.code.title
            try await hold(arguments.submission, .held, reason, company, database)
        } catch  where job.attempt >= job.attemptsMax {
            try await hold(
                arguments.submission, .error, "It failed \(job.attempt) times; operators find out why.",
                company, database)
        }
        return .done
    }

    private struct Found: Sendable {
        let id: UUID
        let form: UUID?
        let formName: String
        let fields: [Forms.Field]
        let raw: JSON
        let source: UUID?
        let owner: UUID?
        let attachDays: Int
        let notify: [UUID]
        let needsConfirmation: Bool
    }

    @inline(never)
    private static func settle(_ id: UUID, _ company: UUID, _ environment: Environment, _ tx: Transaction)
        async throws
    {
        let rows = try await tx.query(
            """
            SELECT s.state, s.raw::text AS raw, s.form_id, coalesce(f.name, k.name) AS name,
                   coalesce(f.fields, '[]')::text AS fields, coalesce(f.source_id, k.source_id) AS source_id,
                   coalesce(f.owner_id, k.owner_id) AS owner_id, coalesce(f.attach_days, k.attach_days) AS attach_days,
                   to_jsonb(coalesce(f.notify_ids, '{}'))::text AS notify,
                   coalesce(f.double_opt_in, false) AND s.confirmed_at IS NULL AS needs_confirmation
              FROM submissions s
              LEFT JOIN forms f ON f.company_id = s.company_id AND f.id = s.form_id
              LEFT JOIN capture_keys k ON k.company_id = s.company_id AND k.id = s.capture_key_id
             WHERE s.company_id = \(company) AND s.id = \(id) FOR UPDATE OF s
            """)
        guard let row = rows.first, try row.get("state", as: SubmissionState.self) == .received else {
            return
        }
        let found = Found(
            id: id, form: try row.get("form_id"), formName: try row.get("name"),
            fields: try JSON.parse(row.get("fields", as: String.self)).decode(),
            raw: try JSON.parse(row.get("raw", as: String.self)), source: try row.get("source_id"),
            owner: try row.get("owner_id"), attachDays: try row.get("attach_days"),
            notify: try JSON.parse(row.get("notify", as: String.self)).decode(),
            needsConfirmation: try row.get("needs_confirmation"))
        var reading = SubmissionReading(found.raw, found.fields)
        guard reading.draft.contact?.emails.isEmpty == false || reading.draft.contact?.phones.isEmpty == false
        else {
            throw Problem.unprocessable(
                "/email", "required", "there is neither an e-mail address nor a telephone number")
        }
        if found.needsConfirmation {
            return try await Confirmations.ask(
                id, found.formName, reading.draft.contact, company, environment, tx)
        }
        reading.draft.custom = try await custom(reading.custom, company, environment)
        try await makeLead(found, reading.draft, company, tx)
    }

    /// Values that the company's fields take; others stay in what came in.
    @inline(never)
    private static func custom(_ texts: [String: String], _ company: UUID, _ environment: Environment)
        async throws -> JSON
    {
        if texts.isEmpty { return [:] }
        var kept = JSON.Object()
        for field in try await environment[CustomFields.self].fields(of: "lead", scope: nil, company: company)
        where !field.isArchived {
            guard let text = texts[field.key] else { continue }
            let value: JSON =
                switch field.type {
                case .number, .money: (try? JSON.parse(text)) ?? .null
                case .boolean: .bool(["true", "on", "yes", "1"].contains(text.lowercased()))
                case .multiSelect: .array(text.split(separator: ",").map { .string(String($0).trimmed()) })
                case .text, .date, .select, .url, .member: .string(text)
                }
            if field.type != .member, case .success(let good) = field.kept(value), good != .null {
                kept[field.key] = good
            }
        }
        return .object(kept)
    }

    @inline(never)
    private static func makeLead(
        _ found: Found, _ given: LeadWriting.Draft, _ company: UUID, _ tx: Transaction
    ) async throws {
        var draft = given
        draft.sourceId = found.source
        draft.ownerId = try await standing(found.owner, company, tx)
        draft.channel = found.source == nil ? (found.form == nil ? "api" : "form") : nil
        guard let person = draft.contact else { return }
        // The contact's row is locked from here on: two submissions of one person come one after the other.
        let contact = try await ContactWriting.findOrCreate(person, by: .system, company: company, in: tx).id
        draft.contactId = contact
        let open = try await tx.query(
            """
            SELECT id, title FROM leads
             WHERE company_id = \(company) AND contact_id = \(contact) AND deleted_at IS NULL AND archived_at IS NULL
               AND status IN ('new', 'working', 'qualified')
               AND created_at > now() - make_interval(days => \(found.attachDays))
             ORDER BY created_at DESC LIMIT 1 FOR UPDATE
            """)
        let lead: UUID
        let isNew = open.isEmpty
        if let row = open.first {
            lead = try row.get("id")
            _ = try await tx.batch([
                Touches.sql(
                    contact: contact, lead: lead, source: draft.sourceId, channel: draft.channel,
                    utm: draft.utm,
                    page: draft.page, referrer: draft.referrer, company),
                """
                UPDATE leads SET message = coalesce(message, \(draft.message)::text), version = version + 1, updated_at = now()
                 WHERE company_id = \(company) AND id = \(lead)
                """,
            ])
            try await LeadWriting.search(lead, company: company, tx)
        } else {
            lead = try await LeadWriting.create(draft, by: .system, company: company, in: tx)
        }
        let data = LeadEvents.SubmissionData(
            submissionId: found.id, formId: found.form, contactId: contact, leadId: lead, isNewLead: isNew)
        _ = try await tx.batch([
            """
            UPDATE submissions SET state = 'processed', reason = NULL, processed_at = now(), contact_id = \(contact),
                   lead_id = \(lead), is_new_lead = \(isNew)
             WHERE company_id = \(company) AND id = \(found.id)
            """,
            try Events.sql(
                LeadEvents.submitted, data, on: "submission", found.id, by: .system, company: company),
        ])
        try await LeadNews.tell(
            LeadNews.submitted, found.notify, of: lead,
            [
                "form": .string(found.formName),
                "title": .string(draft.title ?? draft.clientName ?? person.displayName ?? ""),
            ],
            by: .system, company, tx)
    }

    /// The member, while he is one: a form outlives people.
    @inline(never)
    private static func standing(_ member: UUID?, _ company: UUID, _ tx: Transaction) async throws -> UUID? {
        guard let member else { return nil }
        let rows = try await tx.query(
            "SELECT id FROM memberships WHERE company_id = \(company) AND id = \(member) AND status = 'active'"
        )
        return try rows.first?.get("id")
    }

    /// Puts it aside and sounds the alarm.
    @inline(never)
    static func hold(_ id: UUID, _ state: SubmissionState, _ reason: String, _ company: UUID, _ db: Database)
        async throws
    {
        try await db.transaction(as: Tenant(company: company)) { tx in
            let rows = try await tx.query(
                """
                UPDATE submissions s SET state = \(state), reason = \(reason), processed_at = now()
                 WHERE s.company_id = \(company) AND s.id = \(id) AND s.state = 'received'
                RETURNING coalesce(
                    (SELECT f.name FROM forms f WHERE f.company_id = s.company_id AND f.id = s.form_id),
                    (SELECT k.name FROM capture_keys k WHERE k.company_id = s.company_id AND k.id = s.capture_key_id)) AS name
                """)
            guard let row = rows.first else { return }
            let news = News(
                LeadNews.held, about: .init("submission", id),
                values: ["form": .string(try row.get("name")), "reason": .string(reason)],
                link: "/submissions/\(id)",
                by: .system)
            try await Notify.record(
                news, to: .roles(["owner", "admin", "manager"]), company: company, in: tx)
        }
    }
}

enum SubmissionState: String, Codable, CaseIterable, SQLBindable, SQLBindableElement, RowValue, Sendable {
    case received, unconfirmed, processed, held, spam, error
}

/// What a submission says, by what its form's fields mean; fields that no form describes mean what they are called.
struct SubmissionReading: Sendable {
    var draft = LeadWriting.Draft()
    var custom: [String: String] = [:]

    init(_ raw: JSON, _ fields: [Forms.Field]) {
        let targets = Dictionary(fields.map { ($0.key.text, $0.mapsTo?.text) }) { one, _ in one }
        var person = ContactWriting.Draft()
        var utm = JSON.Object()
        for (key, json) in raw.objectValue?.members ?? [] {
            guard let value = json.stringValue?.trimmed(), !value.isEmpty else { continue }
            if key.hasPrefix("utm_"), utm.count < 10 {
                utm[String(key.dropFirst(4))] = .string(String(value.prefix(200)))
            }
            let target = targets[key].map { $0 ?? "" } ?? key
            switch target {
            case "email": if let email = Email(value) { person.emails = [email.text] }
            case "phone": if Identity(.phone, value) != nil { person.phones = [value] }
            case "name": person.name = String(value.prefix(200))
            case "first_name": person.firstName = String(value.prefix(100))
            case "last_name": person.lastName = String(value.prefix(100))
            case "job_title": person.jobTitle = String(value.prefix(120))
            case "company": draft.clientName = String(value.prefix(200))
            case "country": draft.country = CountryCode(value.uppercased())?.text
            case "title": draft.title = String(value.prefix(200))
            case "message": draft.message = String(value.prefix(20_000))
            case "_page": draft.page = String(value.prefix(2_000))
            case "_referrer": draft.referrer = String(value.prefix(2_000))
            default: if target.hasPrefix("custom.") { custom[String(target.dropFirst(7))] = value }
            }
        }
        person.lifecycle = .lead
        draft.utm = .object(utm)
        draft.contact = person
    }
}
