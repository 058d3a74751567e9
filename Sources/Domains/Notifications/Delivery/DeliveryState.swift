import Postgres

/// Where a delivery stands.
enum DeliveryState: String, Codable, CaseIterable, SQLBindable, SQLBindableElement, Sendable {
    /// Kept for the end of the person's quiet hours.
    case deferred
    /// Part of a digest that has not gone out.
    case gathered
    /// Handed to the mail queue.
    case sending
    case sent
    case failed
    /// The address is not to be tried.
    case suppressed
    /// Decided against.
    case skipped
    case cancelled
}
