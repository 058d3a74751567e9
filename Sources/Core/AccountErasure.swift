import Postgres
import Wire

/// The port by which an account ends: the person leaves every company, her sessions end, and her name and address are
/// wiped. From then on nothing can be done in her name.
public struct AccountErasure: Sendable {
    /// Refuses with `last-owner` where a company would be left without an owner. Asking twice is harmless.
    public let erase: @Sendable (_ user: UUID, Audit.Actor, Transaction) async throws -> Void

    public init(erase: @escaping @Sendable (UUID, Audit.Actor, Transaction) async throws -> Void) {
        self.erase = erase
    }
}
