import CLinux

/// One part of a form as its header lines say.
public struct PartHead: Equatable, Sendable {
    public let name: String
    /// Safe to show and to keep, never to be used as a path; nil for a plain field.
    public let filename: String?
    public let isFile: Bool
    /// As sent; `text/plain` when nothing was (RFC 7578 section 4.4).
    public let contentType: String

    public init(
        name: String, filename: String? = nil, isFile: Bool = false, contentType: String = "text/plain"
    ) {
        self.name = name
        self.filename = filename
        self.isFile = isFile
        self.contentType = contentType
    }
}

public enum MultipartError: Error, Equatable {
    case badBoundary
    /// The body ended before its last boundary.
    case cutShort
    /// No boundary where one must stand, or something else on its line.
    case badDelimiter
    case preambleTooLong
    case badHeader
    case headerTooLong
    /// Not `form-data`, or without a name.
    case notFormData
    /// base64 and quoted-printable are of mail, not of forms (RFC 7578 section 4.7).
    case unsupportedTransferEncoding
    case tooManyParts
    case partTooLarge(name: String)
    case tooLarge
}

/// What one form may weigh; the number of parts and the header lines are bounded by `CodecLimits`.
public struct MultipartLimits: Sendable {
    public var partBytes: Int
    public var totalBytes: Int
    public var parts: Int

    public init(partBytes: Int, totalBytes: Int, parts: Int = CodecLimits.multipartParts) {
        self.partBytes = partBytes
        self.totalBytes = totalBytes
        self.parts = parts
    }
}

/// Reads `multipart/form-data` (RFC 7578, RFC 2046) from chunks cut anywhere; keeps no more than a boundary's length
/// or one part's header lines.
public struct MultipartParser {
    public enum Event: Equatable, Sendable {
        case part(PartHead)
        case bytes([UInt8])
        case partEnd
    }

    private enum State { case preamble, delimiterEnd, header, bodyStart, body, epilogue }

    private let limits: MultipartLimits
    /// CRLF, two dashes, the boundary: what ends a part.
    private let delimiter: [UInt8]
    private var state = State.preamble
    /// What is not yet understood. The first boundary needs no CRLF before it, so one is put there.
    private var pending: [UInt8] = [0x0D, 0x0A]
    private var totalBytes = 0
    private var preambleBytes = 0
    private var partBytes = 0
    private var parts = 0
    private var partName = ""

    public init(contentType: MediaType, limits: MultipartLimits) throws(MultipartError) {
        guard let boundary = contentType["boundary"] else { throw .badBoundary }
        try self.init(boundary: boundary, limits: limits)
    }

    public init(boundary: String, limits: MultipartLimits) throws(MultipartError) {
        guard (1...CodecLimits.multipartBoundaryBytes).contains(boundary.utf8.count),
            boundary.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }), boundary.utf8.last != 0x20
        else { throw .badBoundary }
        self.limits = limits
        delimiter = [0x0D, 0x0A, 0x2D, 0x2D] + Array(boundary.utf8)
    }

    /// Takes the next bytes of the body and tells what they hold, in order.
    public mutating func read(_ chunk: [UInt8]) throws(MultipartError) -> [Event] {
        totalBytes += chunk.count
        guard totalBytes <= limits.totalBytes else { throw .tooLarge }
        if state == .epilogue { return [] }
        pending += chunk
        var events: [Event] = []
        var at = 0
        while try step(&at, &events) {}
        pending.removeFirst(at)
        return events
    }

    /// To be asked when the body has ended.
    public func end() throws(MultipartError) {
        guard state == .epilogue else { throw .cutShort }
    }

    /// Moves on by one piece of syntax; false when it needs more bytes.
    private mutating func step(_ at: inout Int, _ events: inout [Event]) throws(MultipartError) -> Bool {
        switch state {
        case .preamble: return try skipPreamble(&at)
        case .delimiterEnd: return try endDelimiter(&at)
        case .header: return try readHeader(&at, &events)
        case .bodyStart: return startBody(&at)
        case .body: return try readBody(&at, &events)
        case .epilogue:
            at = pending.count
            return false
        }
    }

    private mutating func skipPreamble(_ at: inout Int) throws(MultipartError) -> Bool {
        let found = find(delimiter, from: at)
        let end = found ?? max(at, pending.count - delimiter.count + 1)
        preambleBytes += end - at
        guard preambleBytes <= CodecLimits.multipartPreambleBytes else { throw .preambleTooLong }
        at = end
        guard found != nil else { return false }
        at += delimiter.count
        state = .delimiterEnd
        return true
    }

    /// After a boundary: two dashes end the form, blanks and CRLF begin a part.
    private mutating func endDelimiter(_ at: inout Int) throws(MultipartError) -> Bool {
        guard pending.count - at >= 2 else { return false }
        if pending[at] == 0x2D, pending[at + 1] == 0x2D {
            at += 2
            state = .epilogue
            return true
        }
        var end = at
        while end < pending.count, pending[end] == 0x20 || pending[end] == 0x09 { end += 1 }
        // A few blanks were put there by gateways; more is no gateway.
        guard end - at <= 16 else { throw .badDelimiter }
        guard pending.count - end >= 2 else { return false }
        guard pending[end] == 0x0D, pending[end + 1] == 0x0A else { throw .badDelimiter }
        parts += 1
        guard parts <= limits.parts else { throw .tooManyParts }
        // The CRLF stays: it is the first half of an empty header section, were there one.
        at = end
        state = .header
        return true
    }

    private mutating func readHeader(_ at: inout Int, _ events: inout [Event]) throws(MultipartError) -> Bool
    {
        guard let end = find([0x0D, 0x0A, 0x0D, 0x0A], from: at) else {
            guard pending.count - at <= CodecLimits.multipartHeaderBytes else { throw .headerTooLong }
            return false
        }
        guard end - at <= CodecLimits.multipartHeaderBytes else { throw .headerTooLong }
        let head = try PartHeadReader.read(pending[min(at + 2, end)..<end])
        events.append(.part(head))
        partName = head.name
        partBytes = 0
        // The last CRLF stays: it begins the delimiter when the part is empty.
        at = end + 2
        state = .bodyStart
        return true
    }

    private mutating func startBody(_ at: inout Int) -> Bool {
        guard pending.count - at >= delimiter.count else { return false }
        if !pending[at...].starts(with: delimiter) { at += 2 }
        state = .body
        return true
    }

    private mutating func readBody(_ at: inout Int, _ events: inout [Event]) throws(MultipartError) -> Bool {
        let found = find(delimiter, from: at)
        let end = found ?? max(at, pending.count - delimiter.count + 1)
        if end > at {
            partBytes += end - at
            guard partBytes <= limits.partBytes else { throw .partTooLarge(name: partName) }
            events.append(.bytes([UInt8](pending[at..<end])))
            at = end
        }
        guard found != nil else { return false }
        events.append(.partEnd)
        at += delimiter.count
        state = .delimiterEnd
        return true
    }

    private func find(_ needle: [UInt8], from start: Int) -> Int? {
        pending.withUnsafeBytes { bytes in
            let rest = UnsafeRawBufferPointer(rebasing: bytes[start...])
            guard let base = rest.baseAddress, let hit = memmem(base, rest.count, needle, needle.count) else {
                return nil
            }
            return start + (UnsafeRawPointer(hit) - base)
        }
    }
}

/// Reads the header lines of a part.
private enum PartHeadReader {
    static func read(_ bytes: ArraySlice<UInt8>) throws(MultipartError) -> PartHead {
        var disposition: ContentDisposition?
        var contentType = "text/plain"
        for (index, line) in lines(bytes).enumerated() {
            guard index < CodecLimits.multipartHeaderLines else { throw .headerTooLong }
            let (name, value) = try field(line)
            switch name {
            case "content-disposition":
                guard disposition == nil, let parsed = ContentDisposition(value) else { throw .badHeader }
                disposition = parsed
            case "content-type": contentType = value
            case "content-transfer-encoding":
                guard ["7bit", "8bit", "binary"].contains(value.lowercased()) else {
                    throw .unsupportedTransferEncoding
                }
            default: continue
            }
        }
        guard let disposition, disposition.kind == "form-data", let name = disposition.name else {
            throw .notFormData
        }
        return PartHead(
            name: name, filename: disposition.filename, isFile: disposition.isFile, contentType: contentType)
    }

    private static func lines(_ bytes: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = bytes.startIndex
        for index in bytes.indices where bytes[index] == 0x0A && index > start && bytes[index - 1] == 0x0D {
            lines.append(bytes[start..<index - 1])
            start = index + 1
        }
        if start < bytes.endIndex { lines.append(bytes[start...]) }
        return lines
    }

    /// Name in lower case and value without the blanks around it; a folded or bare line is refused.
    private static func field(_ line: ArraySlice<UInt8>) throws(MultipartError) -> (String, String) {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
            line[..<colon].allSatisfy(FieldReader.isTokenByte)
        else { throw .badHeader }
        var value = line[(colon + 1)...]
        while let first = value.first, first == 0x20 || first == 0x09 { value.removeFirst() }
        while let last = value.last, last == 0x20 || last == 0x09 { value.removeLast() }
        guard !value.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F }),
            let text = String(validating: value, as: UTF8.self)
        else { throw .badHeader }
        return (String(decoding: line[..<colon], as: UTF8.self).lowercased(), text)
    }
}
