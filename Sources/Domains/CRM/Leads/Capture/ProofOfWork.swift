import Core
import Crypto
import Postgres
import Wire

/// A riddle that costs a sender some time and us one digest: whoever finds a nonce such that the SHA-256 of challenge and
/// nonce begins with so many zero bits may send once. It is signed, so that none has to be kept until it is used.
struct ProofOfWork: Sendable {
    private let key: HMACKey

    init(_ keys: KeyRing) { key = HMACKey(keys.derive("proof of work of forms")) }

    /// `form.bits.expiry.random.code`
    func challenge(form: UUID, bits: Int, now: Timestamp) -> String {
        let body =
            "\(form).\(bits).\(now.seconds + LeadLimits.challengeSeconds).\(Base64.encode(RandomBytes.make(12), .url))"
        return "\(body).\(code(body))"
    }

    /// Whether the challenge is ours, for this form, as hard as it asks for, not too old, and solved.
    func holds(_ challenge: String, nonce: String, form: UUID, bits: Int, now: Timestamp) -> Bool {
        let parts = challenge.split(separator: ".", omittingEmptySubsequences: false)
        guard challenge.utf8.count <= 200, nonce.utf8.count <= 100, parts.count == 5,
            constantTimeEquals(code(parts[..<4].joined(separator: ".")), String(parts[4])),
            parts[0] == form.description,
            let asked = Int(parts[1]), asked >= bits, let expiry = Int64(parts[2]), expiry >= now.seconds
        else { return false }
        return Self.zeroBits(SHA256.digest(challenge + nonce).bytes) >= asked
    }

    private func code(_ body: String) -> String { Base64.encode(key.authenticate(body), .url) }

    static func zeroBits(_ digest: [UInt8]) -> Int {
        var count = 0
        for byte in digest {
            count += byte.leadingZeroBitCount
            if byte != 0 { break }
        }
        return count
    }

    /// A row unless it was used before.
    static func use(_ challenge: String, company: UUID) -> SQL {
        """
        INSERT INTO form_challenges (company_id, sha256) VALUES (\(company), \(SHA256.digest(challenge).bytes))
        ON CONFLICT DO NOTHING RETURNING sha256
        """
    }
}
