/// Every limit of what all domains share, with its reason.
public enum WorkspaceLimits {
    /// More than a picker can show; a company with more has fields in mind.
    public static let tagsMax = 1_000
    /// Each is looked at with every row that is written.
    public static let fieldsPerKindMax = 100
    /// A paragraph; longer texts are files or descriptions.
    public static let textValueMax = 4_000
}
