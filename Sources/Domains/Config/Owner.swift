import API
import Core
import Postgres
import Wire

/// Whose flags and settings a route is about: the company's of the token, or the product's own.
enum Owner: Sendable {
    case company
    case system

    func id(_ call: Call) throws(Problem) -> UUID {
        switch self {
        case .company: try call.company
        case .system: FlagStore.system
        }
    }

    func tenant(_ call: Call) throws(Problem) -> Tenant {
        Tenant(company: try id(call), user: call.principal?.userId)
    }
}

/// The row that puts all changes of an owner's flags, or settings, in order.
enum ConfigVersion {
    /// Raises the version and keeps others out until the transaction ends.
    static func raise(_ kind: String, owner: UUID, in tx: Transaction) async throws {
        _ = try await tx.query(
            """
            INSERT INTO config_versions (company_id, kind) VALUES (\(owner), \(kind))
            ON CONFLICT (company_id, kind) DO UPDATE SET version = config_versions.version + 1
            """)
    }
}
