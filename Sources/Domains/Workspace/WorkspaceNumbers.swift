/// Every limit of this domain, with its reason; those the other domains know too stand in `WorkspaceLimits`.
enum WorkspaceNumbers {
    /// A whole team; more is what a watcher is for.
    static let mentionsMax = 50
    /// Signs under one comment: more is noise.
    static let reactionCodesMax = 20
    /// What a notice shows of a comment.
    static let excerptLength = 200
    /// A person's own; more than a menu can show.
    static let viewsMax = 200
    /// What an address could hold as well.
    static let filterBytesMax = 8192
    /// Enough to find out delimiter, encoding and heading of any table.
    static let importSampleBytes = 256 << 10
    static let importSampleRows = 10
    /// What a preview shows of a cell.
    static let importCellShown = 200
    static let importColumnsMax = 200
    /// A description; more in one cell is a file that is no table.
    static let cellBytesMax = 64 << 10
    /// What an hour takes at the slowest.
    static let importRowsMax = 500_000
    static let importBytesMax = 200 << 20
    /// Kept for the undo and for a second look.
    static let importFileLife = Duration.seconds(30 * 86_400)
    /// From here on larger batches are no quicker, and each holds locks.
    static let rowsAtOnce = 1_000
    static let readBytesAtOnce = 256 << 10
    /// A batch on a machine that is busy with others.
    static let batchDeadline = Duration.seconds(120)
    /// What a browser waits for.
    static let directRowsMax = 5_000
    static let exportLife = Duration.seconds(7 * 86_400)
    static let exportLinkLife = Duration.seconds(3_600)
    static let exportRowsAtOnce = 2_000
    /// The whole of a large company's work, on a busy machine.
    static let exportDeadline = Duration.seconds(1_800)
    /// A year with both its ends.
    static let calendarWindowMax = Duration.seconds(400 * 86_400)
    static let calendarEntriesMax = 2_000
    /// One a device and purpose.
    static let feedsMax = 20
    static let feedDaysBack = 90
    static let feedDaysAhead = 400
    /// Beyond this a calendar program takes minutes over it.
    static let feedEntriesMax = 5_000
    /// What one looks through under an input.
    static let foundPerKind = 20
}
