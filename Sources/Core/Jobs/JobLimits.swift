/// Every bound of the background jobs, each with its reason.
public enum JobLimits {
    /// How long after its last sign of life a worker's jobs are taken over: ten times what a busy machine may pause.
    public static let leaseSeconds = 30
    /// Beats come each third of a lease and may be a second late.
    public static let leaseSecondsMin = 5
    /// Jobs of one queue on one instance. Most wait for the database, of which an instance has few connections.
    public static let concurrency = 20
    public static let concurrencyMax = 1000
    /// Jobs taken at once: the cost of a claim is spread over them, and no more are held back by one worker.
    static let claimedAtOnce = 100
    /// Companies looked at in one claim by shares.
    static let sharesAtOnce = 50
    /// Jobs that take less than this on average are claimed ahead of their turn.
    static let quick: Duration = .milliseconds(20)
    /// The base: whatever hint was lost, work is found after this.
    static let pollPause: Duration = .seconds(1)
    /// Between two hints to other processes: under load a hint for each job would cost as much as the job.
    static let tellPause: Duration = .milliseconds(2)
    /// Outcomes wait so long for others to travel with.
    static let settlePause: Duration = .milliseconds(1)
    /// How often the heart looks at the jobs in hand.
    static let beatPause: Duration = .seconds(1)
    /// How long a job waits whose last attempt, lease lost, still runs here.
    static let ghostPause: Duration = .seconds(2)
    /// Pauses while the database is away.
    static let failurePause: Duration = .milliseconds(200)
    static let failurePauseMax: Duration = .seconds(5)
    /// How far back a claim looks that found less than it wanted; each second it looks from the very first.
    static let markSlack: Duration = .seconds(2)
    static let fullLookPause: Duration = .seconds(1)
    /// What is kept of an error: the end of a long one says nothing new.
    static let errorBytesMax = 2000
    /// Errors kept of one job: the first few and the last tell the story.
    static let errorsKept = 30
    static let argumentsBytesMax = 256 << 10
    static let resultBytesMax = 64 << 10
    static let checkpointBytesMax = 256 << 10
    static let progressMessageMax = 500
    /// Rows of one INSERT.
    static let enqueuedAtOnce = 1000
    /// How often an instance asks whether a schedule was changed or moved on by another.
    static let cronReadPause: Duration = .seconds(10)
    static let cronRunDaysKept = 30
    /// Counting a backlog of a million takes a tenth of a second.
    static let figuresPause: Duration = .seconds(15)
    /// Days of finished jobs that are made ahead.
    static let daysAhead = 7
    /// How long a finished job can be looked up.
    public static let daysKept = 7
    /// How long a dead job can be retried.
    public static let deadDaysKept = 90
    /// Rows that housekeeping deletes at once.
    static let trimmedAtOnce = 5000
}
