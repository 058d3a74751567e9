import Crypto
import Postgres
import Wire

/// Addresses whose owners were forgotten and asked not to be known again: an account cannot be made with them.
/// What is kept is a keyed digest, from which nobody finds the address.
public struct ErasedAddresses: Sendable {
    private let key: HMACKey

    /// - Parameter pepper: the secret that never changes; with another one the addresses would be forgotten.
    public init(pepper: [UInt8]) { key = HMACKey(HKDF.derive(pepper, info: "erased address")) }

    public func block(_ email: String) -> SQL {
        """
        INSERT INTO erased_addresses (address_mac) VALUES (\(mac(email)))
        ON CONFLICT (address_mac) DO NOTHING
        """
    }

    public func isBlocked(_ email: String, _ db: Database) async throws -> Bool {
        let rows = try await db.query(
            "SELECT 1 AS one FROM erased_addresses WHERE address_mac = \(mac(email))")
        return !rows.isEmpty
    }

    private func mac(_ email: String) -> [UInt8] { key.authenticate(email.lowercased()) }
}
