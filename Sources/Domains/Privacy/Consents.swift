import API
import Core
import Postgres
import Wire

/// What people agreed to, and what they took back. Each row is one decision and is never changed.
enum Consents {
    enum Decision: String, Codable, CaseIterable, SQLBindable, Sendable { case given, withdrawn }

    struct Consent: Codable, Sendable, FieldNotes {
        let id: UUID
        let userId: UUID?
        let email: String?
        let purpose: String
        let textVersion: String
        let decision: Decision
        let source: String
        let note: String?
        let address: String?
        let recordedBy: UUID?
        let at: Timestamp
        let createdAt: Timestamp

        static let fieldNotes = [
            "purpose": "What was agreed to, as `newsletter`.", "text_version": "Which wording was shown.",
            "source": "Where it was decided: a form, a call, an import.",
            "at": "When it was decided; `created_at` is when it was recorded.",
            "address": "From where, when the person herself decided.",
        ]
    }

    struct NewConsent: Codable, Sendable {
        let userId: UUID?
        let email: Email?
        let purpose: Slug
        let textVersion: Text<80>
        let decision: Decision
        let source: Text<120>
        let note: Prose<500>?
        let address: Text<60>?
        let at: Timestamp?
    }

    struct Filter: ListFilter {
        let email: Text<320>?
        let userId: UUID?
        let purpose: [String]?
        let decision: Decision?
        let at: Bounds<Timestamp>?

        static let sorts = ["-at"]
    }

    /// What holds now about one purpose.
    struct Standing: Codable, Sendable {
        let purpose: String
        let isGiven: Bool
        let textVersion: String
        let since: Timestamp
        let consentId: UUID
    }

    struct Whose: Codable, Sendable {
        let email: Text<320>?
        let userId: UUID?
    }

    @RouteList static var routes: [Route] {
        GET("/v1/consents", "List decisions about consent", .can(.consentsRead), list)
        POST("/v1/consents", "Record that somebody agreed, or took it back", .can(.consentsWrite), record)
            .describe("A decision is never changed: taking consent back is a further one.")
            .problems(.consentInTheFuture)
            .example(body: [
                "email": "ada@example.com", "purpose": "newsletter", "text_version": "2026-11",
                "decision": "given",
                "source": "sign-up form",
            ])
        GET("/v1/consents/standing", "What somebody agrees to now", .can(.consentsRead), standing)
            .operation("getConsentStanding")
        GET("/v1/consents/{id}", "Read a decision about consent", .can(.consentsRead), read)
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Consent> {
        try await call.page(list, select(call.company))
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Consent> {
        try Single(await call.db.query("\(fragment: select(call.company)) AND id = \(id)"))
    }

    static func record(_ call: Call, _ body: Body<NewConsent>) async throws -> Created<Consent> {
        let (company, user, id) = (try call.company, try call.user, UUID.v7())
        if body.value.userId == nil && body.value.email == nil {
            throw Problem.unprocessable("/email", "required", "or user_id must say whose decision it is")
        }
        let at = body.value.at ?? call.now
        guard at <= call.now + .seconds(60) else { throw Problem(.consentInTheFuture) }
        let entry = Audit.Entry(
            "consent.\(body.decision.rawValue)", on: "consent", id,
            after: ["purpose": .string(body.purpose.text), "text_version": .string(body.textVersion.text)])
        let rows = try await call.create(
            """
            INSERT INTO consents (company_id, id, user_id, email, purpose, text_version, decision, source, note, address,
                                  recorded_by, at)
            VALUES (\(company), \(id), \(body.value.userId), \(body.value.email?.normalized), \(body.purpose),
                    \(body.textVersion), \(body.decision), \(body.source), \(body.value.note), \(body.value.address),
                    \(user), \(at))
            RETURNING \(fragment: columns)
            """, also: [Audit.sql(entry, by: call.actor, company: company)])
        return try Created(rows)
    }

    static func standing(_ call: Call, _ whose: Query<Whose>) async throws -> Page<Standing> {
        let company = try call.company
        guard whose.email != nil || whose.userId != nil else {
            throw Problem.unprocessable([
                .parameter("email", "required", "or user_id must say whose consent is meant")
            ])
        }
        let email = whose.email?.text.lowercased()
        return Page(
            all: try await call.db.query(
                """
                SELECT DISTINCT ON (purpose) purpose, decision = 'given' AS is_given, text_version, at AS since,
                       id AS consent_id
                  FROM consents
                 WHERE company_id = \(company)
                   AND (email = \(email)::text OR user_id = \(whose.userId)::uuid)
                 ORDER BY purpose, at DESC, id DESC
                """))
    }

    private static let columns: SQL =
        "id, user_id, email, purpose, text_version, decision, source, note, address, recorded_by, at, created_at"

    private static func select(_ company: UUID) -> SQL {
        "SELECT \(fragment: columns) FROM consents WHERE company_id = \(company)"
    }
}

extension ProblemCode {
    static let consentInTheFuture = ProblemCode(
        "consent-in-the-future", 422, "Nobody can have decided that yet",
        advice: "Give the time of the decision.")
}
