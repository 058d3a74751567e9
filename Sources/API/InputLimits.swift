/// The limits of input that no type states itself.
public enum InputLimits {
    /// A plain `String` in a body: room for any note, too little to fill a table with.
    public static let textLengthMax = 10_000
    /// A plain array in a body: what one statement binds at ease.
    public static let itemsMax = 1000
    /// What JavaScript and every JSON reader hold exactly (RFC 8259 section 6).
    public static let safeInteger: Int64 = 9_007_199_254_740_991
    /// A JSON body: a thousand items of a kilobyte.
    public static let bodyBytesMax = 1 << 20
    /// Faults told at once: more help nobody, and the answer stays small.
    public static let faultsMax = 50
    /// `limit` of a list: a page one screen can show, and the most that is printed in a few milliseconds.
    public static let pageDefault = 50
    public static let pageMax = 100
    /// `q` of a list, and any other text in a query that states no limit of its own.
    public static let searchLengthMax = 200
    /// A parameter of a path that is text: signed tokens are the longest.
    public static let pathTextLengthMax = 2_000
    /// Values of one filter (`status=a,b,c`): what an address has room for.
    public static let filterValuesMax = 20
    /// A cursor is made by us; this is more than the longest sort key needs.
    public static let cursorLengthMax = 2048
    /// `count=estimated` counts no further: an exact count of a large table is a scan.
    public static let countMax = 10_000
    /// `Idempotency-Key`: a UUID and then some, as Stripe and the draft have it.
    public static let idempotencyKeyLengthMax = 255
    /// `X-Request-Id` taken from the caller.
    public static let requestIdLengthMax = 128
}
