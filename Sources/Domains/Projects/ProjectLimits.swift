import Core

/// Every number of projects, with its reason.
enum ProjectLimits {
    /// Where neither plan nor exception says otherwise: an agency with hundreds of clients and a few projects each.
    static let projects = Quota("projects", "Projects that are not deleted", unit: "projects", limit: 2_000)
    /// More columns than that fit on no board.
    static let statesMax = 50
    static let membersMax = 1_000
    static let milestonesMax = 200
    static let goalsMax = 100
    static let templatesMax = 200
    /// What one request changes at once.
    static let bulkMax = 100
    /// How long a deleted project can be taken out of the trash.
    static let trashDays = 30
    /// A cover is loaded with every list of projects.
    static let coverBytesMax = 5 << 20
    /// Lines of a sum: more is an export.
    static let totalsMax = 500
    /// Two years of a large agency; it is held in memory while it is written.
    static let exportedEntriesMax = 100_000
    /// Suggested keys tried before the caller is asked for one.
    static let keyAttemptsMax = 20
}
