import Postgres
import Wire

/// The port by which a user who deletes the account leaves every company first.
public struct AccountDeparture: Sendable {
    /// Removes `user` from all companies in the caller's transaction; refuses with `last-owner`, naming the companies,
    /// when one would be left without an owner.
    public let depart: @Sendable (_ user: UUID, Audit.Actor, Transaction) async throws -> Void

    public init(depart: @escaping @Sendable (UUID, Audit.Actor, Transaction) async throws -> Void) {
        self.depart = depart
    }
}
