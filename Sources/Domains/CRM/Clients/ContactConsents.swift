import API
import Core
import Postgres
import Wire

/// What a person allows, by channel, and on which legal basis. The history only grows; the last word holds.
enum ContactConsents {
    @RouteList static var routes: [Route] {
        GET("/v1/contacts/{id}/consents", "List what a contact has allowed", .can(.crmRead), list)
            .describe("All of it, newest first; what holds is in the contact's own `consents`.").example(
                answer: example)
        POST("/v1/contacts/{id}/consents", "Record what a contact allows", .can(.crmWrite), add)
            .operation("recordContactConsent")
            .describe("Nothing recorded is ever changed: another word is another record.")
            .example(
                body: [
                    "channel": "email", "state": "granted", "basis": "consent", "source": "Trade fair form",
                ], answer: example)
    }

    private static let example: JSON = [
        "id": .string(ContactEvents.otherId.description), "channel": "email", "state": "granted",
        "basis": "consent",
        "source": "Trade fair form", "note": nil, "at": "2026-03-02T09:00:00.000000Z", "recorded_by": nil,
    ]

    enum Channel: String, Codable, CaseIterable, SQLBindable, Sendable { case email, phone, sms, post }
    enum State: String, Codable, CaseIterable, SQLBindable, Sendable { case granted, denied, withdrawn }
    enum Basis: String, Codable, CaseIterable, SQLBindable, Sendable {
        case consent, contract
        case legitimateInterest = "legitimate_interest"
        case legalObligation = "legal_obligation"
        case none
    }

    struct Consent: Codable, Sendable {
        let id: UUID
        let channel: Channel
        let state: State
        let basis: Basis
        let source: String
        let note: String?
        let at: Timestamp
        let recordedBy: UUID?
    }

    struct NewConsent: Codable, Sendable, FieldNotes {
        let channel: Channel
        let state: State
        let basis: Basis
        let source: Text<200>
        let note: Prose<2_000>?
        let at: Timestamp?

        static let fieldNotes = [
            "source": "Where it was said: a form, a call, a paper.",
            "at": "When it was said; now when absent.",
        ]
    }

    static func list(_ call: Call, _ id: Path<UUID>) async throws -> Page<Consent> {
        try await CRMAccess.require(.contact, id.value, call)
        return Page(
            all: try await call.db.query(
                """
                SELECT id, channel, state, basis, source, note, at, recorded_by FROM contact_consents
                 WHERE company_id = \(try call.company) AND contact_id = \(id) ORDER BY at DESC, id DESC LIMIT 500
                """))
    }

    static func add(_ call: Call, _ id: Path<UUID>, _ body: Body<NewConsent>) async throws -> Created<Consent>
    {
        let consent = body.value
        if let at = consent.at, at > call.now {
            throw Problem.unprocessable("/at", "in-future", "lies in the future")
        }
        let rows = try await call.db.transaction { tx in
            _ = try await RecordLife.locked(.contact, id.value, call, tx)
            return try await record(consent, of: id.value, by: call.actor, company: call.company, in: tx)
        }
        return try Created(rows)
    }

    /// For forms and unsubscribe links too. The contact must be locked.
    @inline(never)
    static func record(
        _ consent: NewConsent, of contact: UUID, by actor: Audit.Actor, company: UUID, in tx: Transaction
    ) async throws -> Rows {
        let answers = try await tx.batch([
            """
            INSERT INTO contact_consents (company_id, id, contact_id, channel, state, basis, source, note, at, recorded_by)
            VALUES (\(company), \(UUID.v7()), \(contact), \(consent.channel), \(consent.state), \(consent.basis), \(consent.source),
                    \(consent.note), coalesce(\(consent.at)::timestamptz, now()), \(fragment: ContactWriting.member(of: actor, company)))
            RETURNING id, channel, state, basis, source, note, at, recorded_by
            """,
            """
            UPDATE contacts c SET version = version + 1, updated_at = now(), consents = coalesce((
                SELECT jsonb_object_agg(last.channel, jsonb_build_object('state', last.state, 'basis', last.basis, 'at', last.at))
                  FROM (SELECT DISTINCT ON (k.channel) k.channel, k.state, k.basis, k.at FROM contact_consents k
                         WHERE k.company_id = c.company_id AND k.contact_id = c.id
                         ORDER BY k.channel, k.at DESC, k.id DESC) AS last), '{}')
             WHERE c.company_id = \(company) AND c.id = \(contact)
            """,
            Audit.sql(
                Audit.Entry(
                    "contact.consent", on: "contact", contact,
                    after: [
                        "channel": .string(consent.channel.rawValue),
                        "state": .string(consent.state.rawValue),
                    ]),
                by: actor, company: company),
        ])
        try await RecordLife.tell(.contact, [contact], changed: ["consents"], by: actor, company, tx)
        return answers[0]
    }
}
