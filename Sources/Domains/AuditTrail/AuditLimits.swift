/// The limits of the record of changes, each with its reason.
enum AuditLimits {
    /// Rows of a file or a check held in memory at once.
    static let rowsAtOnce = 1000
    /// A copy of the record is not left lying about.
    static let exportLife: Duration = .seconds(7 * 86_400)
    static let linkSeconds = 900
    /// Exports of a company under way at once: each reads the whole record.
    static let exportsAtOnce = 3

    static let viewersMax = 50
    /// An audit is over within a year; a link that nobody remembers is a hole.
    static let viewerDaysMax = 366
    static let viewerDays = 30
    /// How often the use of a link is itself recorded.
    static let viewerRecordSeconds = 3600

    static let streamsMax = 5
    static let headersMax = 10
    /// Events of one request to a collector, and about how many bytes: collectors take a few megabytes.
    static let streamedAtOnce = 500
    static let streamedBytes = 1 << 20
    static let streamDeadline: Duration = .seconds(20)
    /// The pauses of a receiver that fails double from the first to the last.
    static let pause: Duration = .seconds(5)
    static let pauseMax: Duration = .seconds(900)
    /// Without one success for so long the stream is paused, and those who answer for it are told.
    static let failingSeconds = 86_400
    /// Of a receiver's answer, for whoever looks why it failed.
    static let answerBytesKept = 500
}
