import Wire

/// The limits of requests about personal data, each with its reason.
enum PrivacyLimits {
    /// A plan tells what would go now; after a week it is no longer true.
    static let planLife: Duration = .seconds(7 * 86_400)
    /// A copy of everything is not left lying about.
    static let exportLife: Duration = .seconds(7 * 86_400)
    static let downloadSeconds = 900
    /// Exports of one kind under way at once, for a person or a company: each reads everything.
    static let exportsAtOnce = 1
    /// Rows held in memory while a table is written into an archive.
    static let rowsAtOnce = 500
    /// A company's data is gone through once a day.
    static let retentionEvery: Duration = .seconds(86_400)
    static let companiesAtOnce = 20
    static let stepSeconds: Duration = .seconds(300)
}
