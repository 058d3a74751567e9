/// Every number of this domain that no setting states, with its reason.
enum FileLimits {
    /// What is held back of a file until its type is told: the head of any form, a photo's Exif and colour profile.
    static let headBytes = 256 << 10
    /// The fields of a form beside the file, with their boundaries.
    static let formBytes = 64 << 10
    static let formFieldBytes = 8 << 10
    static let formParts = 30
    /// What one request may carry: the server's own limit on bodies. More comes in several requests, by /v1/uploads.
    static let requestBytes = 256 << 20
    /// Bodies of files read at once by one instance: with S3 each holds a part of 8 MiB and its copy on the way.
    static let intakesAtOnce = 32
    static let intakesOfCompany = 16
    /// An upload in one request that takes longer could be swept away under itself.
    static let intakeSeconds: Int64 = 6 * 3600
    /// Objects younger than this may belong to a transaction that is still on its way.
    static let orphanSeconds: Int64 = 24 * 3600

    static let tagsMax = 20
    static let tagLength = 40
    static let nameLength = 255
    static let purposeLength = 40

    /// Between two notes of how far an upload has come, so that a crash costs this much at most.
    static let savedEachBytes = 64 << 20
    /// A writer that has not been heard of for so long is taken for dead; the server cuts silent bodies off at 15 s.
    static let writerSeconds = 30
    static let writerRenewedEach: Duration = .seconds(8)
    /// Since its last request an unfinished upload is kept so long: over a night and a commute.
    static let uploadHours = 24
    /// Unfinished uploads one company may have: each holds room reserved for it.
    static let openUploadsMax = 200

    /// A link to a file: long enough to follow, short enough that a leaked one is soon worthless.
    static let linkSeconds = 3600
    static let linkSecondsMax = 7 * 86_400
    /// An address at the storage itself: it is followed at once.
    static let redirectSeconds = 60
    /// A bulk action, and an archive of several files.
    static let bulkMax = 100
    static let archiveFilesMax = 500
    /// Subjects that use one file and are named when it cannot be deleted.
    static let refsShown = 5

    /// Ends of files and uploads worked through in one round of the sweeper.
    static let sweptAtOnce = 50
    /// Rows compared at once with what the storage has; nothing waits for them.
    static let comparedAtOnce = 1000
}
