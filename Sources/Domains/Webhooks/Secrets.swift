import API
import Core
import Crypto
import Postgres
import Wire

/// The secrets of endpoints: made once, exchanged in peace, shown again only to those who may.
enum Secrets {
    @RouteList static var routes: [Route] {
        POST(
            "/v1/webhook-endpoints/{id}/rotate-secret", "Exchange an endpoint's secret", .can(.webhooksWrite),
            rotate
        )
        .describe(
            """
            For `overlap_seconds` every message is signed by both, so that the receiver can be changed over in peace. \
            With 0 the old secret ends at once: for one that has leaked.
            """
        )
        .secret.example(body: ["overlap_seconds": 86_400])
        GET(
            "/v1/webhook-endpoints/{id}/secret", "Be shown an endpoint's secret", .can(.webhookSecretsRead),
            reveal
        )
        .describe("Each showing stands in the company's log.").secret
    }

    struct Rotation: Codable, Sendable, FieldNotes {
        let overlapSeconds: Whole<0, 604_800>?
        let signature: SignatureScheme?
        let secret: OfferedSecret?

        static let fieldNotes = [
            "overlap_seconds": "A day unless said otherwise, at most a week.",
            "signature": "Without it the endpoint keeps its own.",
        ]
    }

    /// The secret brought along or a new one; both fields must mean the same scheme.
    static func chosen(_ offered: OfferedSecret?, _ scheme: SignatureScheme?) throws -> SigningSecret {
        guard let offered else { return .make(scheme ?? .v1) }
        guard let secret = SigningSecret(offered.text), scheme == nil || scheme == secret.scheme else {
            throw Problem.unprocessable("/secret", "invalid", "is no secret of this signature")
        }
        return secret
    }

    static func rotate(
        _ call: Call, _ id: Path<UUID>, _ body: Body<Rotation>
    ) async throws -> Single<WebhookEndpointSecret> {
        let company = try call.company
        let ring = call.webhooks.ring
        let until = call.now + .seconds(body.overlapSeconds?.value ?? 86_400)
        let overlaps = until > call.now
        let answer = try await call.db.transaction { tx in
            let rows = try await tx.query(
                "SELECT url, signature FROM webhook_endpoints WHERE company_id = \(company) AND id = \(id) FOR UPDATE"
            )
            guard let row = rows.first else { throw Problem.notFound }
            let present: SignatureScheme = try row.get("signature")
            let secret = try chosen(
                body.secret, body.secret == nil ? body.signature ?? present : body.signature)
            let sealed = ring.sealText(secret.text, "secret", of: id.value)
            _ = try await tx.batch([
                """
                UPDATE webhook_endpoints
                   SET old_signature = \(overlaps ? present : nil),
                       old_secret_sealed = CASE WHEN \(overlaps) THEN secret_sealed END,
                       old_secret_until = \(overlaps ? until : nil), signature = \(secret.scheme),
                       secret_sealed = \(sealed), public_key = \(secret.publicKey), secret_rotated_at = \(call.now),
                       version = version + 1, updated_at = now()
                 WHERE company_id = \(company) AND id = \(id)
                """,
                Audit.sql(
                    Audit.Entry("webhook_endpoint.secret_rotated", on: "webhook_endpoint", id.value),
                    by: call.actor, company: company),
            ])
            return WebhookEndpointSecret(
                id: id.value, url: try row.get("url"), signature: secret.scheme, secret: secret.shown,
                publicKey: secret.publicKey, oldSecretUntil: overlaps ? until : nil)
        }
        return Single(answer)
    }

    static func reveal(_ call: Call, _ id: Path<UUID>) async throws -> Single<WebhookEndpointSecret> {
        let company = try call.company
        let rows = try await call.db.batch([
            """
            SELECT url, secret_sealed, CASE WHEN old_secret_until > now() THEN old_secret_until END AS old_secret_until
              FROM webhook_endpoints WHERE company_id = \(company) AND id = \(id)
            """,
            Audit.sql(
                Audit.Entry("webhook_endpoint.secret_shown", on: "webhook_endpoint", id.value),
                by: call.actor,
                company: company),
        ])
        guard let row = rows[0].first,
            let secret = SigningSecret(
                try call.webhooks.ring.openText(row.get("secret_sealed"), "secret", of: id.value))
        else { throw Problem.notFound }
        return Single(
            WebhookEndpointSecret(
                id: id.value, url: try row.get("url"), signature: secret.scheme, secret: secret.shown,
                publicKey: secret.publicKey, oldSecretUntil: try row.get("old_secret_until")))
    }
}

extension SigningSecret {
    /// What the receiver needs to know of it and is not public anyway.
    var shown: String? { scheme == .v1 ? text : nil }
}
