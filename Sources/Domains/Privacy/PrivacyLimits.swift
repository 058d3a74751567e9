import Wire

/// The limits of requests about personal data, each with its reason.
enum PrivacyLimits {
    /// A plan tells what would go now; after a week it is no longer true.
    static let planLife: Duration = .seconds(7 * 86_400)
    /// A copy of everything is not left lying about.
    static let exportLife: Duration = .seconds(7 * 86_400)
    static let downloadSeconds = 900
    /// Rows held in memory while a table is written into an archive.
    static let rowsAtOnce = 500
    static let stepSeconds: Duration = .seconds(300)
}
