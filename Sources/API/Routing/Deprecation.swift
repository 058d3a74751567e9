import HTTP
import Wire

/// Since when a route is not to be used any more, until when it is served, and where the reader learns what to use.
public struct Deprecation: Sendable {
    public let since: LocalDate
    public let sunset: LocalDate
    public let link: String

    /// The fields of RFC 9745 and RFC 8594.
    var lines: [UInt8] {
        let out = ByteWriter(capacity: 256)
        out.write("deprecation: @")
        out.write(since.daysSince1970 * 86_400)
        out.write("\r\nsunset: ")
        HTTPDate.write(Timestamp(seconds: Int64(sunset.daysSince1970) * 86_400), into: out)
        out.write("\r\nlink: <\(link)>; rel=\"deprecation\"\r\n")
        return out.array
    }
}
