import Postgres

/// What a domain does about events. It runs once for each, in order within a company, in a transaction as that company;
/// so it does nothing but SQL, and what reaches outside it enqueues as a job.
///
/// When it throws, it is tried again after a growing pause, and later events of that company wait for it, for this
/// reaction alone. After the last try the event is put aside for the operators and the next goes on.
public struct Reaction: Sendable {
    public enum Subscription: Sendable {
        case all
        case types([String])
    }

    public let name: String
    let subscription: Subscription
    let run: @Sendable (Event, Transaction, Work) async throws -> Void

    /// - Parameter name: `domain.does-what`; it stands in the database and never changes.
    public init(
        _ name: String, on subscription: Subscription,
        _ run: @escaping @Sendable (Event, Transaction, Work) async throws -> Void
    ) {
        self.name = name
        self.subscription = subscription
        self.run = run
    }
}
