import Crypto
import Glibc
import Testing
import Wire

/// Other people's implementations judge ours: joserfc for tokens, pyotp for codes, Python's hashlib and bcrypt.
/// `scripts/python-venv.sh` installs them.
@Suite(.enabled(if: Python.isInstalled, "run scripts/python-venv.sh first")) struct OracleTests {
    private let key = SigningKey.make()

    @Test func `joserfc takes our tokens with our key set`() throws {
        let token = JWT.sign(
            ["iss": "me", "sub": "ü \"x\"", "exp": 4_000_000_000],
            type: "at+jwt", with: key)
        let said = try Python.run(
            """
            import sys, json
            from joserfc import jwt
            from joserfc.jwk import KeySet
            token = jwt.decode(sys.argv[1], KeySet.import_key_set(json.loads(sys.argv[2])), algorithms=['ES256'])
            print(token.header['typ'], token.claims['iss'], token.claims['sub'], token.claims['exp'])
            """, token, JWT.keySet([SigningKey.make().publicKey, key.publicKey]))
        #expect(said == "at+jwt me ü \"x\" 4000000000")
    }

    @Test func `we take the tokens of joserfc`() throws {
        let token = try Python.run(
            """
            import sys
            from joserfc import jwt
            from joserfc.jwk import ECKey
            key = ECKey.import_key(sys.argv[1])
            header = {'alg': 'ES256', 'typ': 'at+jwt', 'kid': key.thumbprint()}
            print(jwt.encode(header, {'iss': 'me', 'aud': ['api'], 'exp': 4000000000, 'x': 'é\\u2028'}, key))
            """, key.pem)
        let wanted = JWT.Expectation(type: "at+jwt", issuer: "me", audience: "api")
        // The key is found by joserfc's thumbprint, so ours must be the same.
        let claims = try JWT.verify(token, expecting: wanted, at: .now) {
            $0 == key.kid ? key.publicKey : nil
        }
        #expect(claims["x"] == "é\u{2028}")
    }

    @Test func `pyotp makes the same codes and reads our address`() throws {
        let totp = TOTP.make()
        let said = try Python.run(
            """
            import sys, pyotp
            totp = pyotp.parse_uri(sys.argv[1])
            print(totp.at(1800000000), totp.issuer, totp.name)
            """, totp.url(issuer: "In & Out", account: "ann@example.com"))
        #expect(said == totp.code(step: 60_000_000) + " In & Out ann@example.com")
    }

    @Test func `hashlib derives the same digests`() throws {
        let secret = RandomBytes.make(77)
        let said = try Python.run(
            "import sys, hashlib, hmac; b = bytes.fromhex(sys.argv[1]); "
                + "print(hashlib.sha256(b).hexdigest(), hmac.new(b[:20], b, 'sha256').hexdigest())",
            Hex.encode(secret))
        let code = HMACKey(Array(secret.prefix(20))).authenticate(secret)
        #expect(said == SHA256.digest(secret).hex + " " + Hex.encode(code))
    }
}

enum Python {
    private static let root = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
    private static let program = root + "/.build/venv/bin/python"

    static var isInstalled: Bool { access(program, X_OK) == 0 }

    struct Failed: Error { let status: Int32 }

    /// What the script prints, without the last line's end.
    static func run(_ script: String, _ arguments: String...) throws -> String {
        let words = [program, "-c", script] + arguments
        let command = words.map { "'" + $0.replacing("'", with: #"'\''"#) + "'" }.joined(separator: " ")
        guard let pipe = popen(command, "r") else { throw Failed(status: errno) }
        var out: [UInt8] = []
        var byte = fgetc(pipe)
        while byte != EOF {
            out.append(UInt8(byte))
            byte = fgetc(pipe)
        }
        let status = pclose(pipe)
        guard status == 0 else { throw Failed(status: status) }
        while out.last == UInt8(ascii: "\n") { out.removeLast() }
        return String(decoding: out, as: UTF8.self)
    }
}
