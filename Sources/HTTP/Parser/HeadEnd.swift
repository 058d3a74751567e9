import Glibc

/// Finds where a head ends, without looking at any byte twice.
struct HeadEnd {
    enum Answer: Equatable {
        /// The length of the head with its last, empty line.
        case complete(Int)
        case incomplete
        case refused(Refusal)
    }

    /// So many bytes of the head have been searched already.
    private var searched = 0
    private var hasRequestLine = false
    /// Where the present line began.
    private var lineStart = 0

    /// - Parameter bytes: all that has come since the end of the last request, leading empty lines taken off.
    mutating func find(in bytes: UnsafeRawBufferPointer, _ limits: Limits) -> Answer {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return .incomplete }
        if searched == 0, ByteClass.table[Int(bytes[0])] & ByteClass.token.rawValue == 0 {
            // No method begins so: a TLS greeting on the plain port, or noise. It need not wait for a line's end.
            return .refused(.requestLine)
        }
        while let found = memchr(base + searched, 0x0A, bytes.count - searched) {
            let at = UnsafeRawPointer(found) - base
            guard at > 0, bytes[at - 1] == 0x0D else { return .refused(.lineEnding) }
            if !hasRequestLine {
                if at > limits.requestLineBytes { return .refused(.lineTooLong) }
                hasRequestLine = true
            } else if at == lineStart + 1 {
                return at + 1 > limits.headBytes ? .refused(.headTooLarge) : .complete(at + 1)
            }
            searched = at + 1
            lineStart = searched
        }
        searched = bytes.count
        if !hasRequestLine, bytes.count > limits.requestLineBytes { return .refused(.lineTooLong) }
        return bytes.count > limits.headBytes ? .refused(.headTooLarge) : .incomplete
    }
}
