import CCrypt
import COpenSSL
import Wire

/// Hashes passwords with bcrypt (`$2b$`), slowly on purpose: call it on a pool of its own, never on a loop.
///
/// bcrypt reads 72 bytes and stops at NUL, so it is given base64(HMAC-SHA256(pepper, password)) instead of the
/// password: every byte counts, and the stored hashes are worth nothing without the pepper.
public struct PasswordHash: Sendable {
    public static let costs = 4...31
    public let cost: Int
    private let pepper: HMACKey

    public init(cost: Int, pepper: [UInt8]) {
        precondition(Self.costs.contains(cost), "bcrypt's cost lies between 4 and 31")
        self.cost = cost
        self.pepper = HMACKey(pepper)
    }

    public func hash(_ password: String) -> String {
        hash(password, salt: Self.setting(cost))
    }

    /// Whether `password` made `stored`; takes as long for a wrong one as for the right one.
    public func verify(_ password: String, against stored: String) -> Bool {
        guard Self.cost(of: stored) != nil else {
            // A hash of no known form: nobody can log in with it, after the same time as ever.
            _ = hash(password)
            return false
        }
        return constantTimeEquals(hash(password, salt: stored), stored)
    }

    /// Does the work of a check and finds nothing: for accounts that do not exist, so that time tells no names.
    public func verifyNothing(_ password: String) {
        _ = verify(password, against: Self.nobody(cost))
    }

    /// True when `stored` was made with another cost than today's.
    public func needsRehash(_ stored: String) -> Bool { Self.cost(of: stored) != cost }

    private func hash(_ password: String, salt: String) -> String {
        let prepared = Base64.encode(pepper.authenticate(password))
        let data = UnsafeMutablePointer<crypt_data>.allocate(capacity: 1)
        defer {
            OPENSSL_cleanse(data, MemoryLayout<crypt_data>.size)
            data.deallocate()
        }
        data.initialize(to: crypt_data())
        guard let out = crypt_r(prepared, salt, data), out.pointee != CChar(UInt8(ascii: "*")) else {
            preconditionFailure("libcrypt does not know bcrypt")
        }
        return String(cString: out)
    }

    private static func setting(_ cost: Int) -> String {
        let random = RandomBytes.make(16).map { CChar(bitPattern: $0) }
        var out = [CChar](repeating: 0, count: Int(CRYPT_GENSALT_OUTPUT_SIZE))
        guard crypt_gensalt_rn("$2b$", UInt(cost), random, 16, &out, Int32(out.count)) != nil else {
            preconditionFailure("libcrypt does not know bcrypt")
        }
        return out.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    }

    /// A well-formed hash that no password is known to make.
    private static func nobody(_ cost: Int) -> String {
        "$2b$" + (cost < 10 ? "0" : "") + String(cost) + "$abcdefghijklmnopqrstuu"
            + String(repeating: "0", count: 31)
    }

    /// The cost inside a `$2b$` hash, or nil when `stored` is none.
    private static func cost(of stored: String) -> Int? {
        let bytes = Array(stored.utf8)
        guard bytes.count == 60, stored.hasPrefix("$2b$"), bytes[6] == UInt8(ascii: "$"),
            let cost = Int(String(decoding: bytes[4..<6], as: UTF8.self)), costs.contains(cost)
        else { return nil }
        return cost
    }
}
