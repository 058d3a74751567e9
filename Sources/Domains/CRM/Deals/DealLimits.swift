/// What of deals is limited, and why.
enum DealLimits {
    /// A list of pipelines is read whole, and so is a board.
    static let pipelinesMax = 50
    static let stagesMax = 40
    /// Reasons and competitors are chosen from a list.
    static let reasonsMax = 200
    static let competitorsMax = 1_000
    static let productsMax = 20_000
    static let linesMax = 200
    static let contactsMax = 50
    static let targetsMax = 5_000
    /// How many deals one request may change: each is locked, and has its events and news.
    static let bulkMax = 200
    /// Longer keys are dealt anew.
    static let rankLengthMax = 64
    static let trashDays = 30
    /// The largest amount: sums of a million of them still fit.
    static let amountMax: Int64 = 999_999_999_999
    static let customBytesMax = 32_768
    /// How many deals the worker tells of in one round.
    static let newsMax = 500
}
