import Wire

/// What of a representation a Range field asks for (RFC 9110 section 14).
public enum ByteRange: Equatable, Sendable {
    /// All of it: no range, one that cannot be read, an unknown unit, or several at once, which we may ignore.
    case whole
    case part(Range<Int>)
    /// 416, with `Content-Range: bytes */length`.
    case unsatisfiable

    /// - Parameter length: of the whole representation in bytes.
    public init(_ field: (some StringProtocol)?, length: Int) {
        guard let field else {
            self = .whole
            return
        }
        self = field.reading { reader in
            guard let unit = reader.token(), unit.isWord("bytes"), reader.take(UInt8(ascii: "=")) else {
                return .whole
            }
            reader.skipSpace()
            let first = Self.position(&reader)
            guard reader.take(UInt8(ascii: "-")) else { return .whole }
            let last = Self.position(&reader)
            reader.skipSpace()
            guard reader.atEnd else { return .whole }
            switch (first, last) {
            case (nil, nil): return .whole
            case (nil, let suffix?):
                return suffix == 0 || length == 0 ? .unsatisfiable : .part(max(0, length - suffix)..<length)
            case (let first?, let last):
                if let last, last < first { return .whole }
                guard first < length else { return .unsatisfiable }
                return .part(first..<min(last ?? .max, length - 1) + 1)
            }
        }
    }

    /// Whether a Range holds in the face of If-Range: only if the client's copy is the present one, strongly.
    public static func holds(
        ifRange field: some StringProtocol, tag: EntityTag?, lastModified: Timestamp?
    ) -> Bool {
        if let sent = EntityTag(parsing: field) { return tag.map { sent.matchesStrongly($0) } ?? false }
        guard let date = HTTPDate.parse(field), let lastModified else { return false }
        return date.seconds == lastModified.seconds
    }

    /// The value of Content-Range for a part, or for a 416.
    public static func contentRange(_ part: Range<Int>?, length: Int) -> String {
        guard let part else { return "bytes */\(length)" }
        return "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(length)"
    }

    /// Digits; what overflows is as good as the end of any file.
    private static func position(_ reader: inout FieldReader) -> Int? {
        let digits = reader.take { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        if digits.isEmpty { return nil }
        return Int(String(decoding: digits, as: UTF8.self)) ?? .max
    }
}
