import App
import AuditTrail
import Core
import Crypto
import Postgres
import TestSupport
import Testing
import Wire

/// What a stolen backup tells: everything in the database, but no secret.
@Suite(.serialized) struct SecretStory {
    private struct Secret {
        let name: String
        let bytes: [UInt8]

        init(_ name: String, _ text: String) {
            self.name = name
            bytes = Array(text.utf8)
        }

        init(_ name: String, bytes: [UInt8]) {
            self.name = name
            self.bytes = bytes
        }

        /// As it stands, in hexadecimal, and in base64 of both alphabets wherever it begins in a longer text.
        var forms: [String] {
            var forms = [String(decoding: bytes, as: UTF8.self), Hex.encode(bytes)]
            for shift in 0..<3 {
                let text = Base64.encode([UInt8](repeating: 0, count: shift) + bytes)
                // Digits that neighbours would change are left out.
                let whole = String(
                    text.filter { $0 != "=" }.dropFirst(shift == 0 ? 0 : shift + 1).dropLast(2))
                forms += [whole, String(whole.map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 })]
            }
            return forms
        }
    }

    /// A day in the life of a company, and every secret that was given or shown in it.
    private func story(on server: TestServer) async throws -> [Secret] {
        let owner = try await Person(signedUpOn: server, company: "Full of Secrets")
        var secrets = [Secret("password", Person.password), Secret("refresh token", owner.refreshToken)]
        let factor = try await owner.client.post("/v1/auth/mfa/factors", ["name": "Phone"]).expect(201).json
        let totp = TOTP(secret: try #require(Base32.decode(try factor.text("secret"))))
        secrets += [
            Secret("TOTP secret", try factor.text("secret")), Secret("TOTP secret", bytes: totp.secret),
        ]
        let verified = try await owner.client.post(
            "/v1/auth/mfa/factors/\(try factor.text("id"))/verify",
            ["code": .string(totp.code(step: TOTP.step(at: .now)))]
        ).expect(200).json
        secrets +=
            verified["recovery_codes"]?.arrayValue?.compactMap(\.stringValue).map {
                Secret("recovery code", $0)
            } ?? []
        let key = try await owner.client.with(header: "Idempotency-Key", UUID.v7().description).post(
            "/v1/api-keys", ["name": "Script", "scopes": ["teams:read"]]
        ).expect(201).json
        secrets.append(Secret("API key", try key.text("key")))
        let hook = try await owner.client.post(
            "/v1/webhook-endpoints",
            [
                "url": "https://example.com/hooks", "event_types": [],
                "headers": [["name": "X-Receiver-Token", "value": "a-token-of-the-receiver-7f3e9c"]],
            ]
        ).expect(201).json
        secrets.append(Secret("webhook header", "a-token-of-the-receiver-7f3e9c"))
        secrets.append(Secret("webhook secret", try hook.text("secret")))
        let guest = Person.freshAddress()
        try await owner.client.post(
            "/v1/invitations",
            ["email": .string(guest), "role_ids": .array([.string(try await owner.roleId(.viewer))])]
        ).expect(201)
        try await server.client.post("/v1/auth/password-reset", ["email": .string(owner.email)]).expect(202)
        for address in [guest, owner.email] {
            for mail in try await server.mails(to: address) {
                guard let link = mail["context"]?["link"]?.stringValue, let at = link.firstIndex(of: "#")
                else { continue }
                secrets.append(
                    Secret("link of \(try mail.text("template"))", String(link[link.index(after: at)...])))
            }
        }
        #expect(secrets.count >= 18, "the story lacks secrets: \(secrets.map(\.name))")
        return secrets
    }

    @Test func `a dump of the database holds no secret, in whatever form`() async throws {
        let server = try await TestServer()
        let secrets = try await story(on: server)
        let dump = try server.database.dump()
        #expect(dump.contains("Full of Secrets"))
        for secret in secrets {
            for form in secret.forms where form.utf8.count >= 8 {
                #expect(!dump.contains(form), "the \(secret.name) stands in the dump as \(form)")
            }
        }
        await server.stop()
    }

    @Test func `keys are exchanged while secrets go on opening, and no value opens in another's place`()
        async throws
    {
        let server = try await TestServer()
        _ = try await story(on: server)
        let db = server.instance.database
        let old = server.instance.environment[KeyRing.self]
        let columns = Instance.domains.flatMap { $0.sealed }
        // The newest key in front; then alone, as it stands when the old one has been taken out.
        let both = try #require(
            old.with(newest: KeyRing.Key(id: "newest", secret: [UInt8](repeating: 9, count: 32))!))
        let alone = try #require(
            KeyRing([KeyRing.Key(id: "newest", secret: [UInt8](repeating: 9, count: 32))!]))
        _ = try await eventually {
            let waiting = try await db.query("SELECT count(*) AS n FROM audit_unsealed")
            return try waiting[0].get("n", as: Int.self) == 0 ? true : nil
        }
        let progress = try await KeyRotation(both, db).run(columns) { _ in }
        let resealed = Dictionary(grouping: progress, by: \.column.table).mapValues {
            $0.reduce(0) { $0 + $1.resealed }
        }
        for table in ["mail_queue", "mfa_factors", "signing_keys", "webhook_endpoints"] {
            #expect((resealed[table] ?? 0) > 0, "nothing of \(table) was sealed anew")
        }
        #expect(progress.allSatisfy { $0.unreadable == 0 })
        #expect(try await AuditTrailDomain.signAnew(both, db) == 1)
        let again = try await KeyRotation(both, db).run(columns) { _ in }
        #expect(again.allSatisfy { $0.resealed == 0 })

        let factors = try server.database.psql("SELECT id, encode(secret_sealed, 'hex') FROM mfa_factors")
            .split(separator: "\n")
        let parts = try #require(factors.first).split(separator: "|").map(String.init)
        let sealed = try #require(Hex.decode(parts[1]))
        #expect(throws: Never.self) { try alone.open(sealed, context: "second factor \(parts[0])") }
        #expect(throws: KeyRing.Failure.notAuthentic) {
            try alone.open(sealed, context: "second factor \(UUID.v7())")
        }
        #expect(throws: KeyRing.Failure.notAuthentic) { try alone.open(sealed, context: "mail \(parts[0])") }
        await server.stop()
    }
}
