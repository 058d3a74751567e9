/// Every bound of this target, each with its reason.
enum DatabaseLimits {
    /// Requests on one shared connection at once: at 50 µs each the last one waits 50 ms, which is as long as waiting helps.
    static let pipelineDepth = 1024
    /// Writes under way on one connection beyond which the next is dialled: they wait for the disk one after another, and
    /// those on two connections wait for it together.
    static let busyWriter = 8
    /// A statement on a shared connection that waits for a lock any longer goes on on a connection of its own: all
    /// behind it wait as well.
    static let sharedLockDeadline: Duration = .milliseconds(100)
    /// Prepared statements on one connection: the statements of a release are some hundreds; each costs the backend
    /// some 10 KiB.
    static let preparedStatements = 512
    /// Tries of a transaction that keeps meeting others: what has not worked five times is a design fault.
    static let transactionTries = 5
    /// The first wait between tries; it doubles, and a random half of it is dropped so that rivals part ways.
    static let retryPause: Duration = .milliseconds(4)
    /// The longest pause between dials while the database is away: it is to be back within a second of its return.
    static let redialPauseMax: Duration = .milliseconds(400)
    static let redialPauseFirst: Duration = .milliseconds(25)
    /// A connection that was lost sooner than this counts as a failed dial.
    static let shortLife: Duration = .seconds(1)
    /// What a caller is told to wait for while the database is away.
    static let retryAfter: Duration = .seconds(1)
    /// How often deadlines of waiting requests are looked at.
    static let watchPeriod: Duration = .milliseconds(100)
    /// How much longer than its own statement deadline a server may stay silent before the connection is given up.
    static let silenceGrace: Duration = .seconds(5)
    /// Transactions and reports waiting for a connection on one loop: beyond it waiting is only memory.
    static let leaseQueue = 1024
    /// A leased connection beyond the first that nobody wanted for so long is closed.
    static let leaseIdle: Duration = .seconds(60)
    /// Threads that dial and cancel: dialling waits on the network and computes SCRAM, which would hold up a loop.
    static let dialers = 3
    static let dialQueue = 4096
    /// How often listeners without a connection are told to look for themselves: what they hear of must hold within a
    /// second.
    static let listenBeat: Duration = .milliseconds(500)
    /// Events that a listener may leave unread before it is only told that it has missed some.
    static let listenBuffer = 1024
    /// Bytes of an answer after which a lent connection is not kept.
    static let roomyAnswer = 4 << 20
    /// Bytes of COPY that are handed on at once.
    static let copyChunk = 64 << 10
    /// An export goes on for as long as its reader takes.
    static let copyDeadline: Duration = .seconds(600)
    /// Rows of a streamed report that are in memory at once.
    static let streamedRows = 500
}
