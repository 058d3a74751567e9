/// Every bound of the events, each with its reason.
public enum EventLimits {
    /// The base: whatever hint was lost, an event is handed on after this.
    static let pollPause: Duration = .seconds(1)
    /// Events given to a reaction in one statement.
    static let givenAtOnce = 1000
    /// Events of one company in one transaction: more would hold its locks for long.
    static let eventsAtOnce = 50
    /// Companies worked for at once; each takes a connection of the few for transactions.
    static let lanesAtOnce = 4
    /// With pauses doubling from a second to an hour, some fourteen hours.
    public static let attemptsMax = 24
    static let pauseSecondsMax = 3600.0
    static let trimPause: Duration = .seconds(3600)
    /// How long an event can be looked up and handed to a reaction again.
    public static let daysKept = 30
    static let trimmedAtOnce = 5000
}
