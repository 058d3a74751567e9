import Glibc

/// Where a part of the head lies.
struct Span {
    var start: UInt16 = 0
    var count: UInt16 = 0

    static let none = Span()

    @inline(__always) init(_ start: Int, _ end: Int) {
        self.start = UInt16(truncatingIfNeeded: start)
        count = UInt16(truncatingIfNeeded: end - start)
    }

    private init() {}

    @inline(__always) var range: Range<Int> { Int(start)..<Int(start) + Int(count) }
}

struct Field {
    var name: Span
    var value: Span
}

/// Understands one whole head by RFC 9112, strictly; one for each loop, used again for every request.
struct HeadParser: ~Copyable {
    private(set) var method = Method.get
    private(set) var minorVersion: UInt8 = 1
    private(set) var path = Span.none
    private(set) var query: Span?
    /// Of an absolute target, else the Host field's value; empty only for HTTP/1.0.
    private(set) var host = Span.none
    private(set) var isAsterisk = false
    private(set) var framing = Framing.none
    private(set) var isKeepAlive = true
    private(set) var expectsContinue = false
    private(set) var contentCoding = ContentCoding.identity
    private(set) var fieldCount = 0
    let fields: UnsafeMutablePointer<Field>

    private let fieldsMax: Int
    private let classes = ByteClass.table
    private var hostField: Span?
    private var hasAuthority = false
    private var contentLength: Int?
    private var transferCodings = TransferCodings()
    private var saysClose = false
    private var saysKeepAlive = false

    init(fieldsMax: Int) {
        self.fieldsMax = fieldsMax
        fields = .allocate(capacity: fieldsMax)
    }

    deinit { fields.deallocate() }

    /// - Parameter head: ends with its empty line; field names are put into lower case in place.
    mutating func parse(_ head: UnsafeMutableRawBufferPointer) throws(Refusal) {
        reset()
        var at = try requestLine(UnsafeRawBufferPointer(head))
        while head[at] != 0x0D { at = try field(head, at) }
        // The finder has seen that the first empty line ends the head, so a CR here can only be its own.
        guard at + 2 == head.count else { throw .lineEnding }
        try settle(UnsafeRawBufferPointer(head))
    }

    private mutating func reset() {
        query = nil
        host = .none
        isAsterisk = false
        framing = .none
        expectsContinue = false
        contentCoding = .identity
        fieldCount = 0
        hostField = nil
        hasAuthority = false
        contentLength = nil
        transferCodings = TransferCodings()
        saysClose = false
        saysKeepAlive = false
    }

    @inline(__always) private func isClass(_ byte: UInt8, _ wanted: ByteClass) -> Bool {
        classes[Int(byte)] & wanted.rawValue != 0
    }

    // MARK: the request line

    /// Returns where the first field line begins.
    private mutating func requestLine(_ head: UnsafeRawBufferPointer) throws(Refusal) -> Int {
        var at = 0
        while isClass(head[at], .token) { at += 1 }
        guard at > 0, head[at] == UInt8(ascii: " ") else { throw .requestLine }
        let methodEnd = at
        at += 1
        let targetStart = at
        while head[at] > 0x20 { at += 1 }
        guard at > targetStart, head[at] == UInt8(ascii: " ") else { throw .requestLine }
        let targetEnd = at
        let end = try version(head, at + 1)
        guard let method = Method(UnsafeRawBufferPointer(rebasing: head[..<methodEnd])) else {
            throw .unknownMethod
        }
        self.method = method
        try target(head, targetStart, targetEnd)
        return end
    }

    private mutating func version(_ head: UnsafeRawBufferPointer, _ start: Int) throws(Refusal) -> Int {
        guard start + 10 <= head.count, memcmp(head.baseAddress! + start, "HTTP/", 5) == 0,
            let major = Self.digit(head[start + 5]), head[start + 6] == UInt8(ascii: "."),
            let minor = Self.digit(head[start + 7]), head[start + 8] == 0x0D, head[start + 9] == 0x0A
        else { throw .requestLine }
        guard major == 1 else { throw .unknownVersion }
        // A higher minor version is spoken to as the highest we know (RFC 9110 section 2.5).
        minorVersion = minor == 0 ? 0 : 1
        return start + 10
    }

    private static func digit(_ byte: UInt8) -> Int? {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") ? Int(byte - UInt8(ascii: "0")) : nil
    }

    private mutating func target(_ head: UnsafeRawBufferPointer, _ start: Int, _ end: Int) throws(Refusal) {
        switch head[start] {
        case UInt8(ascii: "/"):
            try originForm(head, start, end)
        case UInt8(ascii: "*"):
            guard end == start + 1, method == .options else { throw .target }
            isAsterisk = true
            path = Span(start, end)
        default:
            try absoluteForm(head, start, end)
        }
    }

    private mutating func originForm(_ head: UnsafeRawBufferPointer, _ start: Int, _ end: Int) throws(Refusal)
    {
        var at = start
        var needsLook = false
        while at < end, head[at] != UInt8(ascii: "?") {
            let byte = head[at]
            // A dot behind a slash may be a dot segment.
            if byte == UInt8(ascii: "%") || (byte == UInt8(ascii: ".") && head[at - 1] == UInt8(ascii: "/")) {
                needsLook = true
            } else if !isClass(byte, .path) {
                throw .target
            }
            at += 1
        }
        path = Span(start, at)
        if needsLook { try PathCheck.check(UnsafeRawBufferPointer(rebasing: head[start..<at])) }
        guard at < end else { return }
        query = Span(at + 1, end)
        at += 1
        while at < end {
            guard isClass(head[at], .query) else { throw .target }
            at += 1
        }
    }

    /// `http://host/path`, as clients of proxies send it (RFC 9112 section 3.2.2).
    private mutating func absoluteForm(_ head: UnsafeRawBufferPointer, _ start: Int, _ end: Int)
        throws(Refusal)
    {
        let target = UnsafeRawBufferPointer(rebasing: head[start..<end])
        let scheme = target.prefixLength(of: "http://") ?? target.prefixLength(of: "https://")
        guard let scheme else { throw .target }
        let authority = start + scheme
        var at = authority
        while at < end, head[at] != UInt8(ascii: "/"), head[at] != UInt8(ascii: "?") { at += 1 }
        guard HostCheck.isValid(UnsafeRawBufferPointer(rebasing: head[authority..<at]), classes) else {
            throw .target
        }
        host = Span(authority, at)
        hasAuthority = true
        if at < end, head[at] == UInt8(ascii: "/") { return try originForm(head, at, end) }
        // No path: it is "/" (RFC 9110 section 4.2.3), which the scheme happens to hold.
        path = Span(authority - 1, authority)
        guard at < end else { return }
        query = Span(at + 1, end)
        for index in at + 1..<end where !isClass(head[index], .query) { throw .target }
    }

    // MARK: a field line

    /// Returns where the next line begins.
    private mutating func field(_ head: UnsafeMutableRawBufferPointer, _ start: Int) throws(Refusal) -> Int {
        var at = start
        while isClass(head[at], .token) {
            let byte = head[at]
            if byte >= UInt8(ascii: "A"), byte <= UInt8(ascii: "Z") { head[at] = byte | 0x20 }
            at += 1
        }
        // Space before the colon and folded lines end here too: both are ways to smuggle (RFC 9112 section 5).
        guard at > start, head[at] == UInt8(ascii: ":") else { throw .field }
        let name = Span(start, at)
        at += 1
        while head[at] == 0x20 || head[at] == 0x09 { at += 1 }
        let valueStart = at
        while isClass(head[at], .fieldValue) { at += 1 }
        guard head[at] == 0x0D, head[at + 1] == 0x0A else { throw head[at] == 0x0A ? .lineEnding : .field }
        var valueEnd = at
        while valueEnd > valueStart, head[valueEnd - 1] == 0x20 || head[valueEnd - 1] == 0x09 {
            valueEnd -= 1
        }
        guard fieldCount < fieldsMax else { throw .tooManyFields }
        let field = Field(name: name, value: Span(valueStart, valueEnd))
        fields[fieldCount] = field
        fieldCount += 1
        try note(field, UnsafeRawBufferPointer(head))
        return at + 2
    }

    /// Takes in the fields that concern the connection itself.
    private mutating func note(_ field: Field, _ head: UnsafeRawBufferPointer) throws(Refusal) {
        let name = UnsafeRawBufferPointer(rebasing: head[field.name.range])
        let value = UnsafeRawBufferPointer(rebasing: head[field.value.range])
        switch name.count {
        case 4 where name.isWord("host"):
            guard hostField == nil else { throw .host }
            hostField = field.value
        case 6 where name.isWord("expect"):
            guard minorVersion > 0 else { return }
            guard value.isWord("100-continue") else { throw .unknownExpectation }
            expectsContinue = true
        case 10 where name.isWord("connection"):
            noteConnection(value)
        case 14 where name.isWord("content-length"):
            guard contentLength == nil else { throw .framing }
            contentLength = try Self.length(value)
        case 16 where name.isWord("content-encoding"):
            contentCoding = ContentCoding(value, after: contentCoding)
        case 17 where name.isWord("transfer-encoding"):
            try transferCodings.note(value)
        default: break
        }
    }

    private mutating func noteConnection(_ value: UnsafeRawBufferPointer) {
        var reader = FieldReader(value)
        while !reader.atEnd {
            let option = reader.take { $0 != UInt8(ascii: ",") && $0 != 0x20 && $0 != 0x09 }
            if option.isWord("close") { saysClose = true }
            if option.isWord("keep-alive") { saysKeepAlive = true }
            if option.isEmpty { reader.skip(1) }
        }
    }

    private static func length(_ value: UnsafeRawBufferPointer) throws(Refusal) -> Int {
        guard !value.isEmpty else { throw .framing }
        var length = 0
        var isTooLarge = false
        for byte in value {
            guard let digit = digit(byte) else { throw .framing }
            let (product, overflow) = length.multipliedReportingOverflow(by: 10)
            let (sum, overflowAgain) = product.addingReportingOverflow(digit)
            if overflow || overflowAgain { isTooLarge = true }
            length = sum
        }
        guard !isTooLarge else { throw .bodyTooLarge }
        return length
    }

    // MARK: what the whole head means

    private mutating func settle(_ head: UnsafeRawBufferPointer) throws(Refusal) {
        if let hostField {
            let value = UnsafeRawBufferPointer(rebasing: head[hostField.range])
            guard HostCheck.isValid(value, classes) else { throw .host }
            if !hasAuthority { host = hostField }
        } else if minorVersion > 0 {
            throw .host
        }
        isKeepAlive = minorVersion > 0 ? !saysClose : saysKeepAlive && !saysClose
        if transferCodings.isPresent {
            // With Content-Length beside it, or from HTTP/1.0, some hop may read it otherwise (RFC 9112 section 6.1).
            guard contentLength == nil, minorVersion > 0 else { throw .framing }
            try transferCodings.settle()
            framing = .chunked
        } else if let contentLength {
            framing = contentLength == 0 ? .none : .length(contentLength)
        }
    }
}

extension UnsafeRawBufferPointer {
    /// The length of `prefix` (in lower case) when the bytes begin with it, whatever their case.
    func prefixLength(of prefix: StaticString) -> Int? {
        let length = prefix.utf8CodeUnitCount
        guard count >= length, UnsafeRawBufferPointer(rebasing: self[..<length]).isWord(prefix) else {
            return nil
        }
        return length
    }
}
