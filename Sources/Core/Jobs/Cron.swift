import Postgres
import Wire

/// A job that the clock enqueues: once for each of its times, whichever instance notices first.
public struct Cron: Sendable {
    public let name: String
    public let expression: String
    public let timeZone: String
    let traits: JobTraits
    let enqueue: @Sendable (_ uniqueKey: String) throws -> SQL

    /// - Parameter expression: five fields: minute, hour, day of month, month, day of week.
    public init<Arguments>(
        _ name: String, _ expression: String, timeZone: String = "UTC", _ kind: JobKind<Arguments>,
        _ arguments: Arguments
    ) {
        self.name = name
        self.expression = expression
        self.timeZone = timeZone
        traits = kind.traits
        enqueue = { key in try Jobs.sql(kind, arguments, company: nil, uniqueKey: key) }
    }
}
