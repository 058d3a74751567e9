import Wire

/// Text for a mail's body (RFC 2045 section 6.7): any line of any length survives any server.
enum QuotedPrintable {
    private static let lineMax = 76

    /// Line breaks of any kind become CRLF; the text ends with one.
    static func write(_ text: String, into out: ByteWriter) {
        var column = 0
        let bytes = Array(text.utf8)
        var at = 0
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            if byte == 0x0D || byte == 0x0A {
                if byte == 0x0D, at < bytes.count, bytes[at] == 0x0A { at += 1 }
                out.write("\r\n")
                column = 0
                continue
            }
            let isAtLineEnd = at == bytes.count || bytes[at] == 0x0D || bytes[at] == 0x0A
            let isLiteral = isPrintable(byte) && !(isAtLineEnd && (byte == 0x20 || byte == 0x09))
            let width = isLiteral ? 1 : 3
            // One column is kept for the `=` of a soft break, unless the line ends here anyway.
            if column + width > (isAtLineEnd ? lineMax : lineMax - 1) {
                out.write("=\r\n")
                column = 0
            }
            if isLiteral { out.write(byte) } else { escape(byte, into: out) }
            column += width
        }
        if column > 0 { out.write("\r\n") }
    }

    private static func isPrintable(_ byte: UInt8) -> Bool {
        byte == 0x09 || (byte >= 0x20 && byte < 0x7F && byte != UInt8(ascii: "="))
    }

    private static func escape(_ byte: UInt8, into out: ByteWriter) {
        out.write(UInt8(ascii: "="))
        out.write(digits[Int(byte >> 4)])
        out.write(digits[Int(byte & 15)])
    }

    private static let digits = [UInt8]("0123456789ABCDEF".utf8)
}
