/// What a client says about content codings (RFC 9110 section 12.5.3), as far as this server has them.
public struct AcceptEncoding: Equatable, Sendable {
    /// Weights in thousandths; 0 is a refusal.
    public let gzip: Int
    public let identity: Int

    /// A client that sends no such field, or one that cannot be read, gets the plain form.
    public static let absent = AcceptEncoding(gzip: 0, identity: 1000)

    init(gzip: Int, identity: Int) {
        self.gzip = gzip
        self.identity = identity
    }

    public init(_ field: UnsafeRawBufferPointer) {
        var gzip: Int?
        var identity: Int?
        var others: Int?
        var reader = FieldReader(field)
        while true {
            reader.skipSpace()
            if reader.take(UInt8(ascii: ",")) { continue }
            if reader.atEnd { break }
            guard let coding = reader.token(), let weight = Self.weight(&reader) else {
                self = .absent
                return
            }
            if coding.isWord("gzip") || coding.isWord("x-gzip") { gzip = weight }
            if coding.isWord("identity") { identity = weight }
            if coding.count == 1, coding[0] == UInt8(ascii: "*") { others = weight }
        }
        // Without a word about it, identity is acceptable, but less so than anything asked for by name.
        self.init(gzip: gzip ?? others ?? 0, identity: identity ?? others ?? 1)
    }

    public init(_ field: String) {
        var field = field
        self = field.withUTF8 { AcceptEncoding(UnsafeRawBufferPointer($0)) }
    }

    public var prefersGzip: Bool { gzip > 0 && gzip >= identity }

    /// Nothing this server can send is acceptable.
    public var refusesAll: Bool { gzip == 0 && identity == 0 }

    private static func weight(_ reader: inout FieldReader) -> Int? {
        reader.skipSpace()
        var weight = 1000
        if reader.take(UInt8(ascii: ";")) {
            reader.skipSpace()
            guard reader.take(UInt8(ascii: "q")) || reader.take(UInt8(ascii: "Q")),
                reader.take(UInt8(ascii: "=")),
                let given = reader.weight()
            else { return nil }
            weight = given
            reader.skipSpace()
        }
        return reader.atEnd || reader.next == UInt8(ascii: ",") ? weight : nil
    }
}
