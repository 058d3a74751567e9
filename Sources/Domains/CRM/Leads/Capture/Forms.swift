import API
import Core
import Crypto
import Postgres
import Wire

/// Forms that stand on a company's pages.
enum Forms {
    @RouteList static var routes: [Route] {
        GET("/v1/forms", "List forms", .can(.crmRead), list)
        POST("/v1/forms", "Create a form", .can(.crmManage), create)
            .problems(.formNameTaken, .tooManyForms)
            .describe(
                "It takes nothing until it is published. What a field `maps_to` decides what becomes of it: `email`, `phone`, "
                    + "`name`, … or `custom.key` of leads."
            )
            .example(body: [
                "name": "Contact", "allowed_origins": ["https://www.northwind.example"], "work_bits": 16,
                "consent_text": "You may write to me.",
                "fields": [
                    [
                        "key": "email", "label": "E-mail", "type": "email", "is_required": true,
                        "maps_to": "email",
                    ],
                    ["key": "message", "label": "Message", "type": "textarea", "maps_to": "message"],
                ],
            ])
        GET("/v1/forms/{id}", "Read a form", .can(.crmRead), read)
        PATCH("/v1/forms/{id}", "Change a form", .can(.crmManage), change).problems(.formNameTaken)
            .example(body: ["work_bits": 18])
        DELETE("/v1/forms/{id}", "Delete a form", .can(.crmManage), delete).problems(.formHasSubmissions)
            .describe("Only one that nothing came in by; else unpublish it.")
        POST("/v1/forms/{id}/publish", "Publish a form", .can(.crmManage), publish).operation("publishForm")
        POST("/v1/forms/{id}/unpublish", "Take a form back", .can(.crmManage), unpublish).operation(
            "unpublishForm")
    }

    enum FieldType: String, Codable, CaseIterable, Sendable {
        case text, textarea, email, phone, number, select, checkbox, hidden
    }

    struct Field: Codable, Sendable {
        let key: FieldKey
        let label: Text<200>
        let type: FieldType
        let isRequired: Bool?
        let options: UpTo<100, Text<200>>?
        let mapsTo: Target?
    }

    struct FieldKey: TextValue {
        let text: String
        init(unchecked text: String) { self.text = text }
        static var rule: TextRule {
            TextRule(length: 1...60, pattern: "^[a-z][a-z0-9_-]*$") { text in
                let first = text.utf8.first.map { (0x61...0x7A).contains($0) } ?? false
                let isPlain = text.utf8.allSatisfy {
                    (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F || $0 == 0x2D
                }
                return first && isPlain
                    ? nil : "must begin with a small letter and hold small letters, digits, - and _"
            }
        }
        static var exampleText: String { "email" }
    }

    /// What a field is of the lead.
    struct Target: TextValue {
        let text: String
        init(unchecked text: String) { self.text = text }
        static let known = [
            "email", "phone", "name", "first_name", "last_name", "job_title", "company", "country", "title",
            "message", "consent",
        ]
        static var rule: TextRule {
            TextRule(length: 4...80) { text in
                known.contains(text) || text.hasPrefix("custom.") && text.utf8.count > 7
                    ? nil : "must be one of \(known.joined(separator: ", ")), or custom.…"
            }
        }
        static var exampleText: String { "email" }
    }

    struct Form: Codable, Sendable, FieldNotes {
        let id: UUID
        let name: String
        let token: String
        let fields: [Field]
        let allowedOrigins: [String]
        let honeypot: String
        let workBits: Int
        let redirectUrl: String?
        let consentText: String?
        let doubleOptIn: Bool
        let sourceId: UUID?
        let ownerId: UUID?
        let notifyIds: [UUID]
        let attachDays: Int
        let isPublished: Bool
        let publishedAt: Timestamp?
        let version: Int
        let createdAt: Timestamp
        let updatedAt: Timestamp

        static let fieldNotes = [
            "token": "Its public address is /v1/p/forms/{token}.",
            "allowed_origins": "Empty: any page may send it.",
            "honeypot": "A field that people do not see; who fills it is a machine.",
            "work_bits": "Zero bits that a sender has to find; 16 take a phone about a second.",
        ]
    }

    struct NewForm: Codable, Sendable {
        let name: Text<120>
        let fields: UpTo<50, Field>
        let allowedOrigins: UpTo<50, FormOrigin>?
        let honeypot: FieldKey?
        let workBits: Whole<0, 24>?
        let redirectUrl: WebURL?
        let consentText: Prose<2_000>?
        let doubleOptIn: Bool?
        let sourceId: UUID?
        let ownerId: UUID?
        let notifyIds: UpTo<20, UUID>?
        let attachDays: Whole<0, 365>?
    }

    struct FormChange: Codable, Sendable {
        let name: Text<120>?
        let fields: UpTo<50, Field>?
        let allowedOrigins: UpTo<50, FormOrigin>?
        let honeypot: FieldKey?
        let workBits: Whole<0, 24>?
        let redirectUrl: Clearable<WebURL>
        let consentText: Clearable<Prose<2_000>>
        let doubleOptIn: Bool?
        let sourceId: Clearable<UUID>
        let ownerId: Clearable<UUID>
        let notifyIds: UpTo<20, UUID>?
        let attachDays: Whole<0, 365>?
    }

    struct Filter: ListFilter {
        let isPublished: Bool?
        static let sorts = ["-created_at", "name"]
        static let search = ["name"]
    }

    private static let setUp = LeadSetUp.forms

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Form> {
        try await call.page(list, select(call.company))
    }

    @inline(never)
    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Form> {
        let rows = try await call.db.query("\(fragment: select(call.company)) AND f.id = \(id)")
        return try Single(rows)
    }

    static func create(_ call: Call, _ body: Body<NewForm>) async throws -> Created<Form> {
        let (draft, id) = (body.value, UUID.v7())
        try check(draft.fields.items, honeypot: draft.honeypot?.text ?? defaultHoneypot)
        try await call.db.transaction { tx in try await insert(draft, id, call, tx) }
        let rows = try await call.db.query("\(fragment: select(call.company)) AND f.id = \(id)")
        return try Created(rows)
    }

    private static let defaultHoneypot = "website_url"

    private static func check(_ fields: [Field], honeypot: String) throws(Problem) {
        if fields.isEmpty { throw .unprocessable("/fields", "required", "a form has a field") }
        var seen: Set<String> = []
        for (index, field) in fields.enumerated() {
            if !seen.insert(field.key.text).inserted {
                throw .unprocessable("/fields/\(index)/key", "repeated", "stands twice")
            }
            if field.type == .select, field.options?.items.isEmpty ?? true {
                throw .unprocessable("/fields/\(index)/options", "required", "says what there is to choose")
            }
        }
        if seen.contains(honeypot) {
            throw .unprocessable("/honeypot", "repeated", "is a field that people fill")
        }
    }

    @inline(never)
    private static func insert(_ draft: NewForm, _ id: UUID, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        try await LeadChecks.all(owner: draft.ownerId, source: draft.sourceId, company, tx)
        try await LeadChecks.members(draft.notifyIds?.items ?? [], at: "/notify_ids", company, tx)
        let isBelow = SQL.below(
            LeadLimits.formsMax, "SELECT count(*) FROM forms WHERE company_id = \(company)",
            else: .tooManyForms)
        _ = try await tx.query(
            """
            INSERT INTO forms (company_id, id, name, token, fields, allowed_origins, honeypot, work_bits, redirect_url,
                               consent_text, double_opt_in, source_id, owner_id, notify_ids, attach_days, created_by)
            SELECT \(company), \(id), \(draft.name), \(PublicToken.make(company)),
                   \(JSONText(try JSON(encoding: draft.fields)))::jsonb,
                   \((draft.allowedOrigins?.items ?? []).map(\.text))::text[], \(draft.honeypot?.text ?? defaultHoneypot),
                   \(draft.workBits?.value ?? 0)::integer, \(draft.redirectUrl), \(draft.consentText),
                   \(draft.doubleOptIn ?? false), \(draft.sourceId)::uuid, \(draft.ownerId)::uuid,
                   \(draft.notifyIds?.items ?? [])::uuid[], \(draft.attachDays?.value ?? 30)::integer, \(try call.member)::uuid
             WHERE \(fragment: isBelow)
            """)
        try await setUp.record("form.created", id, ["name": .string(draft.name.text)], call, tx)
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<FormChange>) async throws -> Single<Form>
    {
        let change = body.value
        try await call.db.transaction { tx in try await apply(change, to: id.value, call, tx) }
        return try await read(call, id)
    }

    @inline(never)
    private static func apply(_ change: FormChange, to id: UUID, _ call: Call, _ tx: Transaction) async throws
    {
        let company = try call.company
        let row = try await setUp.locked(id, reading: "version, fields::text AS fields, honeypot", call, tx)
        if change.fields != nil || change.honeypot != nil {
            let stored: [Field] = try JSON.parse(row.get("fields", as: String.self)).decode()
            try check(change.fields?.items ?? stored, honeypot: change.honeypot?.text ?? row.get("honeypot"))
        }
        try await LeadChecks.all(owner: change.ownerId ?? nil, source: change.sourceId ?? nil, company, tx)
        try await LeadChecks.members(change.notifyIds?.items ?? [], at: "/notify_ids", company, tx)
        var changes = Changes()
        changes.set("name", change.name)
        changes.set("honeypot", change.honeypot?.text)
        changes.set("work_bits", change.workBits)
        changes.set("redirect_url", change.redirectUrl)
        changes.set("consent_text", change.consentText)
        changes.set("double_opt_in", change.doubleOptIn)
        changes.set("source_id", change.sourceId)
        changes.set("owner_id", change.ownerId)
        changes.set("attach_days", change.attachDays)
        if let fields = change.fields {
            changes.set("fields", to: "\(JSONText(try JSON(encoding: fields)))::jsonb")
        }
        if let origins = change.allowedOrigins?.items {
            changes.set("allowed_origins", to: "\(origins.map(\.text))::text[]")
        }
        if let people = change.notifyIds?.items { changes.set("notify_ids", to: "\(people)::uuid[]") }
        try await setUp.write(changes, to: id, company, tx)
        try await setUp.record("form.changed", id, try JSON(encoding: change).withoutNulls, call, tx)
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        try await call.db.transaction { tx in
            _ = try await setUp.delete(id.value, as: "form.deleted", call, tx)
        }
        return NoContent()
    }

    static func publish(_ call: Call, _ id: Path<UUID>) async throws -> Single<Form> {
        try await setPublished(true, call, id)
    }

    static func unpublish(_ call: Call, _ id: Path<UUID>) async throws -> Single<Form> {
        try await setPublished(false, call, id)
    }

    private static func setPublished(_ isPublished: Bool, _ call: Call, _ id: Path<UUID>) async throws
        -> Single<Form>
    {
        try await call.db.transaction { tx in
            let at: SQL = isPublished ? "coalesce(published_at, now())" : "NULL"
            let changed = try await tx.query(
                """
                UPDATE forms SET published_at = \(fragment: at), version = version + 1, updated_at = now()
                 WHERE company_id = \(call.company) AND id = \(id) RETURNING id
                """)
            if changed.isEmpty { throw Problem.notFound }
            try await setUp.record(
                isPublished ? "form.published" : "form.unpublished", id.value, nil, call, tx)
        }
        return try await read(call, id)
    }

    private static func select(_ company: UUID) -> SQL {
        """
        SELECT f.id, f.name, f.token, f.fields, to_jsonb(f.allowed_origins) AS allowed_origins, f.honeypot, f.work_bits,
               f.redirect_url, f.consent_text, f.double_opt_in, f.source_id, f.owner_id, f.notify_ids, f.attach_days,
               f.published_at IS NOT NULL AS is_published, f.published_at, f.version, f.created_at, f.updated_at
          FROM forms f WHERE f.company_id = \(company)
        """
    }
}

/// Scheme, host and port as browsers send them.
struct FormOrigin: TextValue {
    let text: String
    init(unchecked text: String) { self.text = text }
    static var rule: TextRule {
        TextRule(length: 8...255, format: "uri", pattern: "^https?://[^/]+$") { text in
            let lower = text.lowercased()
            guard lower.hasPrefix("https://") || lower.hasPrefix("http://"), WebURL(text) != nil else {
                return "must be scheme, host and perhaps port"
            }
            let rest = lower.drop { $0 != ":" }.dropFirst(3)
            return rest.contains { "/?#@".contains($0) } ? "must end with host or port" : nil
        }
    }
    static var exampleText: String { "https://www.example.com" }
    static func tidied(_ text: String) -> String { text.lowercased() }
}

/// What stands in a public address: the company it is of, and what nobody guesses.
enum PublicToken {
    static func make(_ company: UUID) -> String { Base64.encode(company.bytes + RandomBytes.make(18), .url) }

    static func company(of token: String) -> UUID? {
        guard let bytes = Base64.decode(token, .url), bytes.count == 34 else { return nil }
        return bytes.withUnsafeBytes { UUID(bytes: UnsafeRawBufferPointer(rebasing: $0[..<16])) }
    }
}
