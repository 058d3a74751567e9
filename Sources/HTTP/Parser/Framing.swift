/// How the end of a body is told (RFC 9112 section 6).
enum Framing: Equatable, Sendable {
    case none
    case length(Int)
    case chunked
}

/// What was done to the content of a body before it was framed (RFC 9110 section 8.4).
enum ContentCoding: Sendable {
    case identity, gzip
    /// Another one, or several.
    case unknown

    init(_ value: UnsafeRawBufferPointer, after before: ContentCoding) {
        if value.isEmpty || value.isWord("identity") {
            self = before
        } else if before == .identity, value.isWord("gzip") || value.isWord("x-gzip") {
            self = .gzip
        } else {
            self = .unknown
        }
    }
}

/// The list of Transfer-Encoding over all its lines; nothing but one `chunked` is accepted.
struct TransferCodings {
    private(set) var isPresent = false
    private var chunkedCount = 0
    private var others = 0
    private var endsWithChunked = false

    mutating func note(_ value: UnsafeRawBufferPointer) throws(Refusal) {
        isPresent = true
        var reader = FieldReader(value)
        while true {
            reader.skipSpace()
            guard let coding = reader.token() else { throw .framing }
            endsWithChunked = coding.isWord("chunked")
            if endsWithChunked { chunkedCount += 1 } else { others += 1 }
            reader.skipSpace()
            if reader.atEnd { return }
            // Parameters are not defined for any coding we know.
            guard reader.take(UInt8(ascii: ",")) else { throw .framing }
        }
    }

    func settle() throws(Refusal) {
        guard endsWithChunked, chunkedCount == 1 else { throw .framing }
        guard others == 0 else { throw .unknownTransferCoding }
    }
}
