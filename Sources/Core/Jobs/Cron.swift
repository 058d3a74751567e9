import Postgres
import Wire

/// A job that the clock enqueues: once for each of its times, whichever instance notices first. While one is unfinished
/// the next is passed over; what fell due while no instance was up is made up for once.
public struct Cron: Sendable {
    public let name: String
    public let expression: String
    public let timeZone: String
    let traits: JobTraits
    private let times: CronExpression
    private let zone: ZoneRules
    private let insert: @Sendable () throws -> SQL

    /// A mistake in the expression or the zone stops the start.
    /// - Parameter expression: five fields: minute, hour, day of month, month, day of week.
    public init<Arguments>(
        _ name: String, _ expression: String, timeZone: String = "UTC", _ kind: JobKind<Arguments>,
        _ arguments: Arguments
    ) {
        do {
            times = try CronExpression(expression)
        } catch {
            preconditionFailure("the schedule \(name): \(error)")
        }
        guard let zone = ZoneRules.named(timeZone) else {
            preconditionFailure("the schedule \(name): this system knows no time zone \(timeZone)")
        }
        self.zone = zone
        self.name = name
        self.expression = expression
        self.timeZone = timeZone
        traits = kind.traits
        insert = { try Jobs.sql(kind, arguments, company: nil, uniqueKey: "cron \(name)") }
    }

    func next(after instant: Timestamp) -> Timestamp? { times.next(after: instant, in: zone) }

    /// Enqueues its job; gives the id, or no row while the last one is unfinished.
    public func enqueue() throws -> SQL { try insert() }
}
