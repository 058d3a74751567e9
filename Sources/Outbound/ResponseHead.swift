/// The header lines of an answer as libcurl hands them over, one at a time.
struct ResponseHead {
    private(set) var headers: [(name: String, value: String)] = []
    /// The empty line has come; another head may follow one that only announced it (103).
    private(set) var isComplete = false
    private var bytes = 0

    /// False when there is more than any honest server sends.
    mutating func read(_ line: UnsafeRawBufferPointer) -> Bool {
        bytes += line.count
        guard bytes <= OutboundLimits.responseHeadBytes else { return false }
        let text = line.trimmed
        isComplete = text.isEmpty
        if text.starts(with: "HTTP/".utf8) {
            headers = []
        } else if let colon = text.firstIndex(of: UInt8(ascii: ":")) {
            let name = String(decoding: text[..<colon], as: UTF8.self).lowercased()
            let value = UnsafeRawBufferPointer(rebasing: text[(colon + 1)...]).trimmed
            headers.append((name, String(decoding: value, as: UTF8.self)))
        }
        return true
    }
}

extension UnsafeRawBufferPointer {
    /// Without blanks and line ends around it.
    fileprivate var trimmed: UnsafeRawBufferPointer {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A }
        guard let first = firstIndex(where: { !isBlank($0) }), let last = lastIndex(where: { !isBlank($0) })
        else {
            return UnsafeRawBufferPointer(start: nil, count: 0)
        }
        return UnsafeRawBufferPointer(rebasing: self[first...last])
    }
}
