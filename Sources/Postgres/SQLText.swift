/// Reads SQL text just far enough to tell code from quoted text and comments.
enum SQLText {
    enum Piece {
        case code, string, dollarQuoted, comment
    }

    /// The statements, at each `;` that stands in code; what is only comment is left out.
    static func statements(in text: String) -> [String] {
        var statements: [String] = []
        var current: [UInt8] = []
        var holdsCode = false
        func end() {
            if holdsCode { statements.append(String(decoding: current, as: UTF8.self)) }
            current = []
            holdsCode = false
        }
        forEachPiece(Array(text.utf8)) { bytes, piece in
            guard piece == .code else {
                current += bytes
                if piece != .comment { holdsCode = true }
                return
            }
            for byte in bytes {
                if byte == UInt8(ascii: ";") {
                    end()
                    continue
                }
                current.append(byte)
                if byte > 0x20 { holdsCode = true }
            }
        }
        end()
        return statements
    }

    /// The text without its comments, quoted text emptied; what is quoted by dollars (bodies of functions) stays.
    static func code(of text: String) -> String {
        var code: [UInt8] = []
        forEachPiece(Array(text.utf8)) { bytes, piece in
            switch piece {
            case .code: code += bytes
            case .string: code += [bytes[bytes.startIndex], bytes[bytes.endIndex - 1]]
            case .comment: code.append(UInt8(ascii: " "))
            case .dollarQuoted:
                // The body is code in its own right, with its own comments and quotes.
                let tag =
                    (bytes.dropFirst().firstIndex(of: UInt8(ascii: "$")) ?? bytes.startIndex) + 1
                    - bytes.startIndex
                let body = String(decoding: bytes.dropFirst(tag).dropLast(tag), as: UTF8.self)
                code += [UInt8](Self.code(of: body).utf8)
            }
        }
        return String(decoding: code, as: UTF8.self)
    }

    static func forEachPiece(_ text: [UInt8], _ body: (ArraySlice<UInt8>, Piece) -> Void) {
        var at = 0
        var codeFrom = 0
        func piece(endingAt end: Int, _ piece: Piece) {
            if codeFrom < at { body(text[codeFrom..<at], .code) }
            body(text[at..<end], piece)
            at = end
            codeFrom = end
        }
        while at < text.count {
            let rest = text[at...]
            switch text[at] {
            case UInt8(ascii: "'"), UInt8(ascii: "\""): piece(endingAt: endOfQuoted(text, at), .string)
            case UInt8(ascii: "-") where rest.starts(with: "--".utf8):
                piece(endingAt: rest.firstIndex(of: 0x0A) ?? text.count, .comment)
            case UInt8(ascii: "/") where rest.starts(with: "/*".utf8):
                piece(endingAt: endOfBlock(text, at), .comment)
            case UInt8(ascii: "$"):
                if let end = endOfDollarQuoted(text, at) {
                    piece(endingAt: end, .dollarQuoted)
                } else {
                    at += 1
                }
            default: at += 1
            }
        }
        if codeFrom < text.count { body(text[codeFrom...], .code) }
    }

    /// A doubled quote is two quoted texts side by side, which comes to the same; only `E'…'` knows the backslash.
    private static func endOfQuoted(_ text: [UInt8], _ start: Int) -> Int {
        let hasEscapes =
            start > 0 && text[start] == UInt8(ascii: "'") && text[start - 1] | 0x20 == UInt8(ascii: "e")
        var at = start + 1
        while at < text.count {
            if hasEscapes, text[at] == UInt8(ascii: "\\") {
                at += 2
                continue
            }
            if text[at] == text[start] { return at + 1 }
            at += 1
        }
        return text.count
    }

    /// Block comments nest.
    private static func endOfBlock(_ text: [UInt8], _ start: Int) -> Int {
        var depth = 0
        var at = start
        while at < text.count {
            if text[at...].starts(with: "/*".utf8) {
                depth += 1
                at += 2
            } else if text[at...].starts(with: "*/".utf8) {
                depth -= 1
                at += 2
                if depth == 0 { return at }
            } else {
                at += 1
            }
        }
        return text.count
    }

    private static func endOfDollarQuoted(_ text: [UInt8], _ start: Int) -> Int? {
        var at = start + 1
        while at < text.count, isTagByte(text[at]) { at += 1 }
        guard at < text.count, text[at] == UInt8(ascii: "$") else { return nil }
        let tag = text[start...at]
        // `$1` is a parameter, and no tag begins with a digit.
        if tag.count > 2, (48...57).contains(tag[start + 1]) { return nil }
        at += 1
        while at + tag.count <= text.count {
            if text[at...].starts(with: tag) { return at + tag.count }
            at += 1
        }
        return text.count
    }

    private static func isTagByte(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || (48...57).contains(byte) || (97...122).contains(byte | 0x20)
            || byte >= 0x80
    }
}
