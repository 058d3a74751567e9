/// The limits of what is read out of requests, each with its reason.
public enum CodecLimits {
    /// DEFLATE cannot do better than 1032 to 1; honest JSON and text stay below 60.
    public static let gzipRatioMax = 200
    /// Below this many bytes of output the ratio is not looked at: a small body of blanks is nobody's harm.
    public static let gzipRatioFree = 64 << 10

    /// More fields than any page of ours has, far fewer than a table of collisions needs.
    public static let formFields = 1_000
    public static let formNameBytes = 256
    /// One text area; the size of the whole form is the body limit's matter.
    public static let formValueBytes = 1 << 20

    /// RFC 2046 section 5.1.1.
    public static let multipartBoundaryBytes = 70
    public static let multipartParts = 100
    /// All header lines of one part together; browsers send under 300 bytes and the file's name.
    public static let multipartHeaderBytes = 8 << 10
    public static let multipartHeaderLines = 16
    /// Nobody reads what stands before the first boundary; mail programs put one sentence there.
    public static let multipartPreambleBytes = 4 << 10

    /// Longer chains of proxies are a loop or an attack.
    public static let forwardedHops = 32
    /// Browsers keep 180 cookies a site and 4 KiB each; the head's own limit comes first.
    public static let cookies = 200
    public static let entityTags = 64
}
