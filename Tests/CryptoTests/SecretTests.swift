import Crypto
import Testing
import Wire

@Suite struct SecretTests {
    @Test func `a password opens its own hash and no other does`() {
        let passwords = PasswordHash(cost: 4, pepper: Array("pepper".utf8))
        let stored = passwords.hash("correct horse")
        #expect(stored.hasPrefix("$2b$04$") && stored.utf8.count == 60)
        #expect(passwords.verify("correct horse", against: stored))
        #expect(!passwords.verify("correct horsf", against: stored))
        #expect(!passwords.verify("", against: stored))
        #expect(passwords.hash("correct horse") != stored)
    }

    @Test func `bytes past the 72nd and after a NUL count`() {
        let passwords = PasswordHash(cost: 4, pepper: [])
        let long = String(repeating: "x", count: 100)
        #expect(!passwords.verify(long + "b", against: passwords.hash(long + "a")))
        #expect(!passwords.verify("a\0c", against: passwords.hash("a\0b")))
    }

    @Test func `a hash is worth nothing without the pepper`() {
        let stored = PasswordHash(cost: 4, pepper: [1]).hash("secret")
        #expect(!PasswordHash(cost: 4, pepper: [2]).verify("secret", against: stored))
    }

    @Test func `a hash of another cost still opens and asks to be made anew`() {
        let old = PasswordHash(cost: 4, pepper: [])
        let new = PasswordHash(cost: 5, pepper: [])
        let stored = old.hash("secret")
        #expect(new.verify("secret", against: stored))
        #expect(new.needsRehash(stored))
        #expect(!old.needsRehash(stored))
    }

    @Test(arguments: [
        "", "!", "$2b$04$", "$2b$99$abcdefghijklmnopqrstuu", "$1$salt$hash",
        String(repeating: "*", count: 60),
    ])
    func `what is no bcrypt hash opens to nobody`(stored: String) {
        #expect(!PasswordHash(cost: 4, pepper: []).verify("secret", against: stored))
    }

    @Test func `looking for nobody takes as long as a check`() {
        let passwords = PasswordHash(cost: 8, pepper: [])
        let stored = passwords.hash("secret")
        let clock = ContinuousClock()
        // The best of three: other work on the machine only ever adds.
        let real = (0..<3).map { _ in clock.measure { _ = passwords.verify("wrong", against: stored) } }
            .min()!
        let nobody = (0..<3).map { _ in clock.measure { passwords.verifyNothing("wrong") } }.min()!
        #expect(nobody > real * 0.7 && nobody < real * 1.4)
    }

    @Test func `what is sealed opens in its own context alone`() throws {
        let key = try #require(KeyRing.Key(id: "k1", secret: RandomBytes.make(32)))
        let ring = try #require(KeyRing([key]))
        let sealed = ring.seal(Array("totp secret".utf8), context: "user 1")
        #expect(try ring.open(sealed, context: "user 1") == Array("totp secret".utf8))
        #expect(throws: KeyRing.Failure.notAuthentic) { try ring.open(sealed, context: "user 2") }
        #expect(ring.seal([1], context: "") != ring.seal([1], context: ""))
        #expect(try ring.open(ring.seal([], context: "x"), context: "x") == [])
    }

    @Test func `no byte of a sealed value can be changed or cut`() throws {
        let ring = try #require(KeyRing(setting: "k1:" + Base64.encode(RandomBytes.make(32))))
        let sealed = ring.seal(Array("secret".utf8), context: "c")
        for index in sealed.indices {
            var altered = sealed
            altered[index] ^= 1
            #expect(throws: KeyRing.Failure.self) { try ring.open(altered, context: "c") }
            #expect(throws: KeyRing.Failure.self) { try ring.open(Array(sealed.prefix(index)), context: "c") }
        }
    }

    @Test func `an exchanged key still opens what it sealed`() throws {
        let old = "old:" + Base64.encode(RandomBytes.make(32))
        let new = "new:" + Base64.encode(RandomBytes.make(32))
        let before = try #require(KeyRing(setting: old))
        let after = try #require(KeyRing(setting: new + "," + old))
        let sealed = before.seal([7], context: "c")
        #expect(try after.open(sealed, context: "c") == [7])
        #expect(after.needsResealing(sealed))
        #expect(!after.needsResealing(after.seal([7], context: "c")))
        let gone = try #require(KeyRing(setting: new))
        #expect(throws: KeyRing.Failure.unknownKey("old")) { try gone.open(sealed, context: "c") }
    }

    @Test(arguments: [
        "", "k1", "k1:", "k1:AAAA", "k 1:" + Base64.encode([UInt8](repeating: 0, count: 32)), "k1:x,",
    ])
    func `a key ring is refused when it is not well written`(setting: String) {
        #expect(KeyRing(setting: setting) == nil)
    }

    @Test func `an API key is told from a mistyped one by its checksum`() {
        let key = APIKeyToken.make()
        #expect(key.hasPrefix("inf_live_") && key.utf8.count == 9 + 32 + 6)
        #expect(APIKeyToken.isWellFormed(key))
        #expect(APIKeyToken.isWellFormed(APIKeyToken.make(prefix: APIKeyToken.testPrefix)))
        var mistyped = Array(key.utf8)
        mistyped[20] = mistyped[20] == UInt8(ascii: "a") ? UInt8(ascii: "b") : UInt8(ascii: "a")
        #expect(!APIKeyToken.isWellFormed(String(decoding: mistyped, as: UTF8.self)))
        #expect(!APIKeyToken.isWellFormed(String(key.dropLast())))
        #expect(!APIKeyToken.isWellFormed("sk_live_" + key.dropFirst(9)))
        #expect(key.hasPrefix(APIKeyToken.hint(key)))
    }

    @Test func `opaque tokens do not repeat`() {
        #expect(Set((0..<1000).map { _ in OpaqueToken.make() }).count == 1000)
        #expect(OpaqueToken.make().utf8.count == 43)
    }

    @Test func `random codes have all their digits`() {
        let codes = (0..<200).map { _ in RandomBytes.digits(6) }
        #expect(codes.allSatisfy { $0.utf8.count == 6 && $0.allSatisfy(\.isNumber) })
        #expect(Set(codes.joined()).count == 10)
    }
}
