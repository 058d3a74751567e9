import API
import Core
import Crypto
import HTTP
import Postgres
import Wire

/// The door that everybody may knock at. What comes in is committed before anything is decided about it; a job does the rest.
enum PublicForms {
    /// A person sends a form once or twice; an office behind one address now and then.
    private static let sending = RatePolicy("form-submission", quota: 30, windowSeconds: 60, per: .client)
    /// A company's own server, in bursts.
    private static let capturing = RatePolicy("lead-capture", quota: 1_200, windowSeconds: 60, per: .client)

    @RouteList static var routes: [Route] {
        GET("/v1/p/forms/{token}", "Read a published form", .open, show).operation("getPublicForm").anyOrigin
            .describe(
                "With a fresh challenge where the form asks for a proof of work; each is good for one submission within the hour."
            )
        POST("/v1/p/forms/{token}/submissions", "Send a form", .open, submit).operation("submitForm")
            .anyOrigin
            .rate(sending).bodyBytes(max: LeadLimits.submissionBytesMax)
            .problems(.originNotAllowed, .proofRequired, .proofRefused)
            .describe(
                """
                JSON or `application/x-www-form-urlencoded`: the form's fields by their keys, `utm_*`, `_page`, `_referrer`, \
                and `_challenge` with `_nonce` such that SHA-256 of both begins with so many zero bits. 202 with \
                `submission_id`; a plain form is led to the form's `redirect_url`. Sent twice (same Idempotency-Key, or the \
                same words within \(LeadLimits.repeatMinutes) minutes) it is one submission.
                """)
        POST("/v1/p/capture/{token}", "Hand over a lead from one's own server", .open, capture).operation(
            "captureLead"
        )
        .rate(capturing).bodyBytes(max: LeadLimits.submissionBytesMax)
        .describe(
            "The key is the last part of the address. Fields by their usual names: `email`, `phone`, `name`, `company`, "
                + "`message`, `country`, `utm_source` …; JSON or a form.")
        GET("/v1/p/confirmations/{token}", "See what a link confirms", .open, Confirmations.show)
            .operation("showConfirmation").media("text/html").problems(.unknownConfirmation)
            .describe("A page with a button. Opening it changes nothing: mail scanners open links.")
        POST("/v1/p/confirmations/{token}", "Confirm a submission", .open, Confirmations.confirm)
            .operation("confirmSubmission").media("text/html").bodyBytes(max: 4 << 10).problems(
                .unknownConfirmation)
    }

    struct PublicForm: Codable, Sendable {
        let name: String
        let fields: [Forms.Field]
        let honeypot: String
        let consentText: String?
        let redirectUrl: String?
        let workBits: Int
        let challenge: String?
        let challengeSeconds: Int64?
    }

    struct Found: Sendable {
        let id: UUID
        let company: UUID
        let name: String
        let fields: [Forms.Field]
        let origins: [String]
        let honeypot: String
        let workBits: Int
        let redirect: String?
        let consent: String?
    }

    private static func find(_ token: String, _ call: Call) async throws -> Found {
        guard let company = PublicToken.company(of: token) else { throw Problem.notFound }
        let rows = try await call.db.query(
            """
            SELECT id, name, fields::text AS fields, to_jsonb(allowed_origins)::text AS origins, honeypot, work_bits,
                   redirect_url, consent_text
              FROM forms WHERE company_id = \(company) AND token = \(token) AND published_at IS NOT NULL
            """, as: Tenant(company: company))
        guard let row = rows.first else { throw Problem.notFound }
        return Found(
            id: try row.get("id"), company: company, name: try row.get("name"),
            fields: try JSON.parse(row.get("fields", as: String.self)).decode(),
            origins: try JSON.parse(row.get("origins", as: String.self)).decode(),
            honeypot: try row.get("honeypot"),
            workBits: try row.get("work_bits"), redirect: try row.get("redirect_url"),
            consent: try row.get("consent_text"))
    }

    static func show(_ call: Call, _ token: Path<Text<80>>) async throws -> Single<PublicForm> {
        let form = try await find(token.text, call)
        let challenge =
            form.workBits == 0
            ? nil : proof(call).challenge(form: form.id, bits: form.workBits, now: call.now)
        return Single(
            PublicForm(
                name: form.name, fields: form.fields, honeypot: form.honeypot, consentText: form.consent,
                redirectUrl: form.redirect, workBits: form.workBits, challenge: challenge,
                challengeSeconds: challenge.map { _ in LeadLimits.challengeSeconds }))
    }

    private static func proof(_ call: Call) -> ProofOfWork { ProofOfWork(call.environment[KeyRing.self]) }

    static func submit(_ call: Call, _ token: Path<Text<80>>, _ upload: Upload) async throws -> Reception {
        let form = try await find(token.text, call)
        let origin = call.request.header("origin")
        if !form.origins.isEmpty, !form.origins.contains(origin?.lowercased() ?? "") {
            throw Problem(.originNotAllowed)
        }
        let (values, isPlainForm) = try await fields(of: call)
        try check(values, against: form.fields)
        // Whoever fills what nobody sees is let believe that it worked, and costs nobody any more work.
        let isSpam = !(values[form.honeypot] ?? "").isEmpty
        let challenge = values["_challenge"]
        if form.workBits > 0, !isSpam {
            guard let challenge, let nonce = values["_nonce"] else { throw Problem(.proofRequired) }
            guard
                proof(call).holds(challenge, nonce: nonce, form: form.id, bits: form.workBits, now: call.now)
            else {
                throw Problem(.proofRefused)
            }
        }
        var kept = values
        for key in ["_challenge", "_nonce"] { kept[key] = nil }
        let draft = SubmissionIntake.Draft(
            company: form.company, form: form.id, values: kept, isSpam: isSpam,
            challenge: form.workBits > 0 && !isSpam ? challenge : nil)
        let id = try await SubmissionIntake.keep(draft, call)
        return Reception(
            receipt: Receipt(submissionId: id, state: .received, redirectUrl: form.redirect),
            leadsTo: isPlainForm ? form.redirect : nil)
    }

    static func capture(_ call: Call, _ token: Path<Text<80>>, _ upload: Upload) async throws -> Reception {
        guard let company = PublicToken.company(of: token.text) else { throw Problem.notFound }
        let rows = try await call.db.query(
            """
            UPDATE capture_keys SET last_used_at = now()
             WHERE company_id = \(company) AND key_sha256 = \(SHA256.digest(token.text).bytes) AND revoked_at IS NULL
            RETURNING id
            """, as: Tenant(company: company))
        guard let row = rows.first else { throw Problem.notFound }
        let (values, _) = try await fields(of: call)
        let draft = SubmissionIntake.Draft(company: company, key: try row.get("id"), values: values)
        let id = try await SubmissionIntake.keep(draft, call)
        return Reception(receipt: Receipt(submissionId: id, state: .received, redirectUrl: nil))
    }

    struct Receipt: Codable, Sendable {
        let submissionId: UUID
        let state: SubmissionState
        let redirectUrl: String?
    }

    /// 202 with a receipt; a plain form, which shows people what it gets, is led on to a page of the company's.
    struct Reception: RouteOutput {
        let receipt: Receipt
        var leadsTo: String?

        static func part() throws(Schema.ProbeError) -> OutputPart { try Accepted<Receipt>.part() }

        func response(to call: Call) throws -> Response {
            guard let leadsTo else { return try Accepted(receipt).response(to: call) }
            var response = Response(status: 303)
            response.headers.add("location", leadsTo)
            return response
        }
    }

    /// The fields as they were sent, each as a text, and whether a plain form sent them.
    @inline(never)
    private static func fields(of call: Call) async throws -> ([String: String], Bool) {
        let type = call.request.header("content-type").flatMap { MediaType($0) }?.essence
        let bytes = try await call.request.body.collect(upTo: LeadLimits.submissionBytesMax)
        var values: [String: String] = [:]
        switch type {
        case "application/json":
            guard let object = (try? JSON.parse(bytes))?.objectValue else {
                throw Problem(.malformedRequest, "The body must be a JSON object of the form's fields.")
            }
            for (key, value) in object.members { values[key] = text(value) }
        case "application/x-www-form-urlencoded":
            guard let form = try? bytes.withUnsafeBytes({ try FormFields($0) }) else {
                throw Problem(.malformedRequest, "The body is no valid form.")
            }
            for field in form.fields {
                values[field.name] = values[field.name].map { "\($0), \(field.value)" } ?? field.value
            }
        default:
            throw Problem(.unsupportedMediaType, "Send JSON or application/x-www-form-urlencoded.")
        }
        guard values.count <= LeadLimits.submissionFieldsMax else {
            throw Problem(.malformedRequest, "At most \(LeadLimits.submissionFieldsMax) fields are taken.")
        }
        guard values.allSatisfy({ !$0.key.utf8.contains(0) && !$0.value.utf8.contains(0) }) else {
            throw Problem(.malformedRequest, "A text holds a NUL, which cannot be stored.")
        }
        return (values, type != "application/json")
    }

    private static func text(_ value: JSON) -> String? {
        switch value {
        case .null: nil
        case .string(let text): text
        case .bool(let flag): flag ? "true" : "false"
        case .number(let number): number.text
        case .array(let items): items.compactMap(text).joined(separator: ", ")
        case .object: value.description
        }
    }

    /// What the form asks for is there, and has its form; what it does not ask for is kept all the same.
    private static func check(_ values: [String: String], against fields: [Forms.Field]) throws(Problem) {
        var faults: [Fault] = []
        for field in fields {
            let value = (values[field.key.text] ?? "").trimmed()
            let place = "/\(field.key.text)"
            if value.isEmpty {
                if field.isRequired == true { faults.append(.at(place, "required", "is required")) }
            } else if field.type == .email, Email(value) == nil {
                faults.append(.at(place, "invalid", "is not an e-mail address"))
            } else if field.type == .number, Double(value) == nil {
                faults.append(.at(place, "invalid", "is not a number"))
            } else if field.type == .select, let options = field.options,
                !options.items.contains(where: { $0.text == value })
            {
                faults.append(.at(place, "not-one-of", "is not among the choices"))
            }
        }
        if !faults.isEmpty { throw .unprocessable(faults) }
    }
}

/// Keeps what came in, and orders the work on it, in one transaction.
enum SubmissionIntake {
    struct Draft: Sendable {
        let company: UUID
        var form: UUID?
        var key: UUID?
        let values: [String: String]
        var isSpam = false
        /// To be used up by this one.
        var challenge: String?
    }

    static func keep(_ draft: Draft, _ call: Call) async throws -> UUID {
        let (id, repeatKey) = (UUID.v7(), try repeatKey(draft, call))
        return try await call.db.transaction(as: Tenant(company: draft.company)) { tx in
            try await insert(draft, id, repeatKey, call, tx)
        }
    }

    private static func repeatKey(_ draft: Draft, _ call: Call) throws -> [UInt8]? {
        guard let key = call.request.header("idempotency-key") else { return nil }
        guard (1...255).contains(key.utf8.count) else {
            throw Problem(.malformedRequest, "The Idempotency-Key must have 1 to 255 characters.")
        }
        return SHA256.digest("\(draft.form ?? draft.key ?? .zero) \(key)").bytes
    }

    @inline(never)
    private static func insert(
        _ draft: Draft, _ id: UUID, _ repeatKey: [UInt8]?, _ call: Call, _ tx: Transaction
    ) async throws -> UUID {
        let company = draft.company
        var raw = JSON.Object()
        for (name, value) in draft.values.sorted(by: { $0.key < $1.key }) { raw[name] = .string(value) }
        let text = JSON.object(raw).description
        let digest = SHA256.digest("\(draft.form ?? draft.key ?? .zero) \(text)").bytes
        let lock = repeatKey ?? digest
        // Two of the same at once wait for each other, so that the second finds the first.
        let answers = try await tx.batch([
            "SELECT pg_advisory_xact_lock(\(lock.prefix(8).reduce(Int64(0)) { $0 << 8 | Int64($1) }))",
            """
            SELECT id FROM submissions
             WHERE company_id = \(company)
               AND (repeat_key = \(repeatKey)::bytea
                    OR \(repeatKey == nil) AND sha256 = \(digest)
                       AND received_at > now() - make_interval(mins => \(LeadLimits.repeatMinutes)))
             ORDER BY received_at DESC LIMIT 1
            """,
        ])
        if let known = answers[1].first { return try known.get("id") }
        if let challenge = draft.challenge {
            let used = try await tx.query(ProofOfWork.use(challenge, company: company))
            if used.isEmpty { throw Problem(.proofRefused, "This challenge has been used.") }
        }
        let email = draft.values.values.lazy.compactMap { Email($0.trimmed())?.normalized }.first
        _ = try await tx.query(
            """
            INSERT INTO submissions (company_id, id, form_id, capture_key_id, state, reason, raw, sha256, repeat_key, email_norm,
                                     address, origin, user_agent)
            VALUES (\(company), \(id), \(draft.form), \(draft.key), \(draft.isSpam ? "spam" : "received"),
                    \(draft.isSpam ? "the hidden field was filled" : nil), \(JSONText(text)), \(digest), \(repeatKey),
                    \(email), \(call.request.clientAddress.description),
                    \(call.request.header("origin").map { String($0.prefix(255)) }),
                    \(call.request.header("user-agent").map { String($0.prefix(500)) }))
            """)
        if !draft.isSpam {
            try await Jobs.enqueue(SubmissionWork.process, .init(submission: id), company: company, in: tx)
        }
        return id
    }
}
