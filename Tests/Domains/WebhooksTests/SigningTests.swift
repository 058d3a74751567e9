import Crypto
import Testing
import Wire

@testable import Webhooks

@Suite struct SigningTests {
    @Test func `a shared secret signs as the example of Standard Webhooks does`() throws {
        let secret = try #require(SigningSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        let signed = SignedMessage(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", seconds: 1_614_265_330,
            body: Array(#"{"test": 2432232314}"#.utf8), [secret])
        #expect(signed.signatures == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test func `a key pair signs as RFC 8032 says`() throws {
        let seed = try #require(
            Hex.decode("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"))
        let key = try #require(Ed25519Key(seed: seed))
        #expect(
            Hex.encode(key.publicKey) == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
        #expect(
            Hex.encode(key.sign([0x72])) == "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")
    }

    @Test(arguments: [SignatureScheme.v1, .v1a]) func `a secret survives being written down`(
        scheme: SignatureScheme
    ) throws {
        let secret = SigningSecret.make(scheme)
        let again = try #require(SigningSecret(secret.text))
        #expect(again.scheme == scheme)
        #expect(again.text == secret.text)
        #expect(again.publicKey == secret.publicKey)
        #expect(again.signature(of: [1, 2, 3]) == secret.signature(of: [1, 2, 3]))
    }

    @Test(arguments: [
        "", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64",
        "whpk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=",
        "whsec_" + Base64.encode([UInt8](repeating: 1, count: 65)), "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsk_" + Base64.encode([UInt8](repeating: 1, count: 64)),
    ])
    func `what is no secret is refused`(text: String) {
        #expect(SigningSecret(text) == nil)
    }

    @Test func `the schedule is that of Standard Webhooks, with a tenth of jitter`() {
        let pauses = (0..<12).map { Schedule.pause(afterTries: $0, random: 0.5) }
        #expect(
            pauses == [0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400].map { .seconds($0) } + [
                nil, nil,
            ])
        #expect(Schedule.pause(afterTries: 2, random: 0) == .seconds(270))
        #expect(Schedule.pause(afterTries: 2, random: 1) == .seconds(330))
    }

    @Test func `Retry-After is read in both forms and has a limit`() {
        let now = Timestamp("2026-11-24T12:00:00Z")!
        #expect(Schedule.retryAfter("120", now: now) == .seconds(120))
        #expect(Schedule.retryAfter("Tue, 24 Nov 2026 12:01:00 GMT", now: now) == .seconds(60))
        #expect(Schedule.retryAfter("Tue, 24 Nov 2026 11:00:00 GMT", now: now) == .zero)
        #expect(Schedule.retryAfter("99999999", now: now) == .seconds(86_400))
        #expect(Schedule.retryAfter("soon", now: now) == nil)
        #expect(Schedule.retryAfter(nil, now: now) == nil)
    }

    @Test func `a body stays below 20 kB, and says where the whole of it is`() throws {
        let id = MessageId(UUID.v7())
        func body(_ data: String) -> [UInt8] {
            Payload.body(
                type: "team.created", at: Timestamp(seconds: 0), data: data, of: id,
                publicURL: "https://a.example")
        }
        #expect(
            body("{\"a\":1}")
                == Array(
                    #"{"type":"team.created","timestamp":"1970-01-01T00:00:00.000000Z","data":{"a":1}}"#.utf8)
        )
        let trimmed = body("{\"a\":\"\(String(repeating: "x", count: 20_000))\"}")
        #expect(trimmed.count < 20_000)
        let data = try JSON.parse(trimmed)["data"]
        #expect(data?["trimmed"] == true)
        #expect(data?["url"]?.stringValue == "https://a.example/v1/webhook-messages/\(id.uuid)")
    }

    @Test func `a message's identifier says which month it belongs to`() throws {
        let id = MessageId(MessageId.least(at: Timestamp("2026-11-30T23:59:59Z")!))
        #expect(id.slot == (2026 * 12 + 10) % 4)
        #expect(
            MessageId(MessageId.least(at: Timestamp("2026-12-01T00:00:00Z")!)).slot == (2026 * 12 + 11) % 4)
        #expect(MessageId(id.text)?.uuid == id.uuid)
        #expect(MessageId("msg_1234") == nil)
    }

    @Test func `a type is meant by itself and by each beginning of it`() {
        #expect(
            EventTypes.patterns(for: "team.member.added") == ["team.member.added", "team.*", "team.member.*"])
        #expect(EventTypes.pattern("team.*", fits: "team.created"))
        #expect(!EventTypes.pattern("team.*", fits: "teams.created"))
        #expect(!EventTypes.pattern("team", fits: "team.created"))
    }
}
