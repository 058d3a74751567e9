/// The limits of leads and of how they are captured.
enum LeadLimits {
    /// Names of a drop-down that somebody still reads.
    static let sourcesMax = 200
    static let rulesMax = 100
    static let policiesMax = 50
    static let modelsMax = 20
    static let formsMax = 500
    static let captureKeysMax = 100
    static let bulkMax = 200
    /// What is deleted can be taken back for so long.
    static let trashDays = 30
    static let sweptAtOnce = 200
    /// Of one submission: a long message with all its fields, no file.
    static let submissionBytesMax = 64 << 10
    static let submissionFieldsMax = 100
    /// The same words from the same form within this time are one submission sent twice.
    static let repeatMinutes = 10
    /// A page may lie open so long before its form is sent.
    static let challengeSeconds: Int64 = 3_600
    static let confirmDays = 7
    /// A policy's hours are looked through for so many days; what takes longer counts round the clock.
    static let workDaysAhead = 120
    /// Breaches and decays of one company in one transaction.
    static let dueAtOnce = 200
    static let scoredAtOnce = 200
    static let scoreMax = 1_000_000
}
