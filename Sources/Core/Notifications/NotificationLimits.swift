/// Every bound of the notifications, with its reason.
public enum NotificationLimits {
    /// People told by one event; more than a company of the largest plan has, and one transaction still writes them
    /// within a second.
    public static let recipientsMax = 5_000
    /// A title is one line on a telephone.
    public static let titleLengthMax = 200
    public static let bodyLengthMax = 4_000
    /// Of a template that a company writes: rendering stays under a millisecond.
    public static let templateBytesMax = 16 << 10
    /// Sections within sections of a template, so that lists in lists cannot multiply without end.
    public static let templateDepthMax = 4
    /// Of a rendered template; a section over a long list may not fill the memory.
    public static let renderedBytesMax = 64 << 10
    /// NOTIFY refuses 8,000 bytes; what is longer is only announced, and read from the table.
    public static let notifyBytesMax = 7_600
}
