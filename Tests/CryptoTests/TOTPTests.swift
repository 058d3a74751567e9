import Crypto
import Testing
import Wire

@Suite struct TOTPTests {
    private let totp = TOTP(secret: Array("12345678901234567890".utf8))

    @Test(arguments: [
        (59, "94287082"), (1_111_111_109, "07081804"), (1_111_111_111, "14050471"),
        (1_234_567_890, "89005924"),
        (2_000_000_000, "69279037"), (20_000_000_000, "65353130"),
    ])
    func `codes are those of RFC 6238`(seconds: Int, code: String) {
        let eight = TOTP(secret: Array("12345678901234567890".utf8), digits: 8)
        #expect(eight.code(step: TOTP.step(at: Timestamp(seconds: Int64(seconds)))) == code)
    }

    @Test func `a code opens one step early and late, not two`() {
        let now = Timestamp(seconds: 3_000_000)
        let step = TOTP.step(at: now)
        for drift in -1...1 {
            #expect(
                totp.step(of: totp.code(step: step + Int64(drift)), at: now, after: nil) == step
                    + Int64(drift))
        }
        for drift in [-2, 2] {
            #expect(totp.step(of: totp.code(step: step + Int64(drift)), at: now, after: nil) == nil)
        }
    }

    @Test func `a code opens once`() {
        let now = Timestamp(seconds: 3_000_000)
        let step = TOTP.step(at: now)
        #expect(totp.step(of: totp.code(step: step), at: now, after: step) == nil)
        #expect(totp.step(of: totp.code(step: step - 1), at: now, after: step) == nil)
        #expect(totp.step(of: totp.code(step: step + 1), at: now, after: step) == step + 1)
    }

    @Test(arguments: ["", "12345", "1234567", "abcdef"])
    func `what is no six-digit code opens nothing`(code: String) {
        #expect(totp.step(of: code, at: Timestamp(seconds: 3_000_000), after: nil) == nil)
    }

    @Test func `base32 goes both ways`() {
        #expect(Base32.encode(Array("foobar".utf8)) == "MZXW6YTBOI")
        #expect(Base32.decode("mzxw6ytboi======") == Array("foobar".utf8))
        #expect(Base32.decode("1") == nil)
        let secret = RandomBytes.make(20)
        #expect(Base32.decode(Base32.encode(secret)) == secret)
    }

    @Test func `the address for the app names issuer and account`() {
        #expect(
            totp.url(issuer: "Infinity & Co", account: "ann@example.com")
                == "otpauth://totp/Infinity%20%26%20Co:ann%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
                + "&issuer=Infinity%20%26%20Co&algorithm=SHA1&digits=6&period=30")
    }
}
