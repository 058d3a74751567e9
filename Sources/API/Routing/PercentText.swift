import HTTP
import Wire

/// Percent-encoding in paths and queries (RFC 3986 section 2.1).
enum PercentText {
    /// Decodes once; a stray `%` stands for itself.
    static func decode(_ bytes: some Collection<UInt8>) -> [UInt8] {
        var out = [UInt8]()
        out.reserveCapacity(bytes.count)
        var at = bytes.startIndex
        while at < bytes.endIndex {
            let byte = bytes[at]
            if byte == UInt8(ascii: "%"), let value = escaped(bytes, at) {
                out.append(value)
                at = bytes.index(at, offsetBy: 3)
                continue
            }
            out.append(byte)
            at = bytes.index(after: at)
        }
        return out
    }

    /// Undoes the escapes of letters, digits and `-._~`, which never needed one; the others stay.
    static func unescapingLetters(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var out = [UInt8]()
        out.reserveCapacity(bytes.count)
        var at = 0
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "%"), let value = escaped(bytes, at),
                PercentEncoding.isUnreserved(value)
            {
                out.append(value)
                at += 3
            } else {
                out.append(bytes[at])
                at += 1
            }
        }
        return out
    }

    private static func escaped<Bytes: Collection<UInt8>>(_ bytes: Bytes, _ at: Bytes.Index) -> UInt8? {
        guard let first = bytes.index(at, offsetBy: 1, limitedBy: bytes.endIndex), first < bytes.endIndex,
            let second = bytes.index(first, offsetBy: 1, limitedBy: bytes.endIndex), second < bytes.endIndex,
            let high = Hex.value(of: bytes[first]), let low = Hex.value(of: bytes[second])
        else { return nil }
        return high << 4 | low
    }
}
