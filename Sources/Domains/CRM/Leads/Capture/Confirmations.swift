import API
import Core
import Crypto
import HTTP
import Postgres
import Wire

/// The second step of a double opt-in: whoever owns the address says that it was he who sent the form.
enum Confirmations {
    @inline(never)
    static func ask(
        _ id: UUID, _ form: String, _ person: ContactWriting.Draft?, _ company: UUID,
        _ environment: Environment, _ tx: Transaction
    ) async throws {
        guard let address = person?.emails.first else {
            throw Problem.unprocessable("/email", "required", "there is no address to ask for a confirmation")
        }
        let token = PublicToken.make(company)
        let rows = try await tx.query("SELECT name, locale FROM companies WHERE id = \(company)")
        let (name, locale): (String, String?) = (try rows[0].get("name"), try rows[0].get("locale"))
        let isGerman = locale?.hasPrefix("de") ?? false
        let message = Mail.Message(
            .notification, to: address, name: person?.displayName ?? address, locale: isGerman ? "de" : "en",
            context: [
                "subject": isGerman ? "Bitte bestätigen Sie: \(form)" : "Please confirm: \(form)",
                "body": isGerman
                    ? "Jemand hat mit dieser Adresse ein Formular von \(name) gesendet. Waren Sie es, dann bestätigen Sie es; sonst ist nichts zu tun."
                    : "Somebody sent a form of \(name) with this address. If it was you, please confirm it; else there is nothing to do.",
                "link": "\(environment[PublicAddress.self].url)/v1/p/confirmations/\(token)",
            ], company: company, onceKey: "form-confirmation:\(id)")
        _ = try await tx.batch([
            """
            UPDATE submissions SET state = 'unconfirmed', confirm_sha256 = \(SHA256.digest(token).bytes),
                   confirm_until = now() + make_interval(days => \(LeadLimits.confirmDays))
             WHERE company_id = \(company) AND id = \(id)
            """,
            try Mail.sql(message),
        ])
    }

    static func show(_ call: Call, _ token: Path<Text<80>>) async throws -> Raw {
        guard let company = PublicToken.company(of: token.text) else { throw Problem(.unknownConfirmation) }
        let rows = try await call.db.query(
            "\(fragment: waiting(company, token.text))", as: Tenant(company: company))
        guard let row = rows.first else { throw Problem(.unknownConfirmation) }
        let form: String = try row.get("name")
        return page(
            "Confirm", "Was it you who sent “\(form.escapedAsMarkup)”?",
            #"<form method="post" action="\#(token.text.escapedAsMarkup)"><button>Yes, it was me</button></form>"#
        )
    }

    static func confirm(_ call: Call, _ token: Path<Text<80>>, _ upload: Upload) async throws -> Raw {
        guard let company = PublicToken.company(of: token.text) else { throw Problem(.unknownConfirmation) }
        _ = try await call.request.body.collect(upTo: 4 << 10)
        try await call.db.transaction(as: Tenant(company: company)) { tx in
            try await confirmed(token.text, company, tx)
        }
        return page("Confirmed", "Thank you. You will hear from us.", "")
    }

    @inline(never)
    private static func confirmed(_ token: String, _ company: UUID, _ tx: Transaction) async throws {
        let rows = try await tx.query(waiting(company, token) + " FOR UPDATE OF s")
        guard let row = rows.first else { throw Problem(.unknownConfirmation) }
        let id: UUID = try row.get("id")
        // Pressing the button twice is confirming once.
        guard try row.get("state", as: SubmissionState.self) == .unconfirmed else { return }
        _ = try await tx.query(
            """
            UPDATE submissions SET state = 'received', confirmed_at = now() WHERE company_id = \(company) AND id = \(id)
            """)
        try await Jobs.enqueue(SubmissionWork.process, .init(submission: id), company: company, in: tx)
    }

    private static func waiting(_ company: UUID, _ token: String) -> SQL {
        """
        SELECT s.id, s.state, f.name FROM submissions s
          JOIN forms f ON f.company_id = s.company_id AND f.id = s.form_id
         WHERE s.company_id = \(company) AND s.confirm_sha256 = \(SHA256.digest(token).bytes) AND s.confirm_until > now()
           AND s.state <> 'spam'
        """
    }

    private static func page(_ title: String, _ text: String, _ form: String) -> Raw {
        let html = """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
            <meta name="robots" content="noindex"><title>\(title)</title></head>
            <body><main><h1>\(title)</h1><p>\(text)</p>\(form)</main></body></html>

            """
        var response = Response(status: 200, body: .bytes(Array(html.utf8)))
        response.headers.add("content-type", "text/html; charset=utf-8" as StaticString)
        response.headers.add("cache-control", "no-store" as StaticString)
        response.headers.add(
            "content-security-policy",
            "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'" as StaticString)
        return Raw(response)
    }
}
