import Core
import Crypto
import Postgres
import Wire

/// How acts are chained: each seal's hash is sha-256 over the hash before it and the act's canonical form.
enum AuditChain {
    /// What the first seal of a company stands on.
    static let beginning = [UInt8](repeating: 0, count: 32)

    /// The canonical form of the act `a`, as text: the jsonb of these fields as PostgreSQL prints it. An export holds
    /// exactly these bytes, so that nobody who verifies it has to print anything anew.
    static let canonical: SQL = """
        jsonb_build_object(
            'company_id', a.company_id, 'id', a.id,
            'at', to_char(a.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
            'actor_kind', a.actor_kind, 'actor_id', a.actor_id, 'behind_id', a.behind_id, 'action', a.action,
            'target_type', a.target_type, 'target_id', a.target_id, 'before', a.before, 'after', a.after,
            'address', a.address, 'request_id', a.request_id)::text
        """

    static func hash(_ previous: [UInt8], _ canonical: String) -> [UInt8] {
        SHA256.digest(previous + Array(canonical.utf8)).bytes
    }
}

/// The key under which seals are signed, and those it was before the secret was exchanged.
struct AuditKeys: Sendable {
    private let keys: [HMACKey]

    init(_ ring: KeyRing) { keys = ring.deriveAll("audit chain").map { HMACKey($0) } }

    func sign(company: UUID, seq: Int64, hash: [UInt8]) -> [UInt8] {
        keys[0].authenticate(Self.message(company, seq, hash))
    }

    func isSigned(company: UUID, seq: Int64, hash: [UInt8], by mac: [UInt8]) -> Bool {
        keys.contains { $0.isValid(mac, for: Self.message(company, seq, hash)) }
    }

    func isSignedByNewest(company: UUID, seq: Int64, hash: [UInt8], by mac: [UInt8]) -> Bool {
        keys[0].isValid(mac, for: Self.message(company, seq, hash))
    }

    private static func message(_ company: UUID, _ seq: Int64, _ hash: [UInt8]) -> [UInt8] {
        company.bytes + withUnsafeBytes(of: seq.bigEndian) { Array($0) } + hash
    }
}
