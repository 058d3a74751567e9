/// Every number of activities, with its reason.
enum ActivityLimits {
    /// As many records as one conversation is about.
    static let recordsMax = 20
    static let participantsMax = 50
    /// A mail with its quotations.
    static let bodyLengthMax = 50_000
    /// As much as one transaction writes within a second.
    static let bulkMax = 200
    static let trashDays = 30
    /// Rows swept in one transaction.
    static let sweptAtOnce = 200
    /// One round of telling.
    static let toldAtOnce = 200
    /// What has been overdue for longer is no news.
    static let overdueDaysMax = 7
    /// The tasks of one record.
    static let tasksMax = 100
}
