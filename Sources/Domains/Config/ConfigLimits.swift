/// Every number of this domain, with its reason.
enum ConfigLimits {
    /// A flag nobody has asked for in so many days is likely forgotten.
    static let unseenDays = 30
    /// People looked at to tell how many a change would hit: a second's work at most.
    static let previewedMax = 20_000
    /// What an export or a bulk evaluation holds is bounded by this many of each.
    static let segmentsMax = 100
    /// A change may wait so long; who plans further ahead has changed his mind by then.
    static let scheduleDaysMax = 365
    static let pendingChangesMax = 100
}
