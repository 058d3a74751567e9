import Wire

/// Writes header lines: folded at 76 characters, words beyond ASCII encoded as RFC 2047 wants them.
struct MailHeader {
    private let out: ByteWriter
    private var column = 0

    private static let columnMax = 76
    /// RFC 2047 section 2: a whole encoded word, its frame included.
    private static let encodedWordMax = 75
    private static let frameOpen = "=?UTF-8?B?"
    private static let frameClose = "?="

    init(into out: ByteWriter) { self.out = out }

    /// A line whose value is free text.
    mutating func text(_ name: String, _ value: String) {
        begin(name)
        if Self.isPlain(value) {
            words(value.split(separator: " ", omittingEmptySubsequences: false))
        } else {
            encoded(value)
        }
        end()
    }

    /// A line whose value is made of addresses.
    mutating func mailboxes(_ name: String, _ mailboxes: [Mailbox]) {
        guard !mailboxes.isEmpty else { return }
        begin(name)
        for (index, mailbox) in mailboxes.enumerated() {
            let isLast = index == mailboxes.count - 1
            let address = mailbox.name == nil ? mailbox.address : "<\(mailbox.address)>"
            if let shown = mailbox.name { phrase(shown) }
            word(address + (isLast ? "" : ","))
        }
        end()
    }

    /// A line whose value stands as it is, such as a date or an identifier; folded between its words alone.
    mutating func raw(_ name: String, _ value: String) {
        begin(name)
        words(value.split(separator: " ", omittingEmptySubsequences: false))
        end()
    }

    private mutating func begin(_ name: String) {
        out.write(name)
        out.write(UInt8(ascii: ":"))
        column = name.utf8.count + 1
    }

    private func end() { out.write("\r\n") }

    private mutating func words(_ words: [Substring]) {
        for each in words { word(String(each)) }
    }

    /// A blank and the word, or a fold and the word when the line would grow too long.
    private mutating func word(_ word: String) {
        let length = word.utf8.count + 1
        // An empty word at a fold would make a line of blanks, which old readers take for the end of the head.
        if column + length > Self.columnMax, !word.isEmpty {
            out.write("\r\n")
            column = 0
        }
        out.write(UInt8(ascii: " "))
        out.write(word)
        column += length
    }

    /// A name before an address: as it is, between quotes, or encoded.
    private mutating func phrase(_ name: String) {
        guard Self.isPlain(name) else { return encoded(name) }
        let isAtoms = name.utf8.allSatisfy { byte in
            byte == 0x20 || byte >= 0x80 || !"()<>[]:;@\\,.\"".utf8.contains(byte)
        }
        if isAtoms { return words(name.split(separator: " ")) }
        let escaped = name.utf8.flatMap { byte -> [UInt8] in
            byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") ? [UInt8(ascii: "\\"), byte] : [byte]
        }
        guard escaped.count < Self.columnMax - 20 else { return encoded(name) }
        word("\"" + String(decoding: escaped, as: UTF8.self) + "\"")
    }

    /// As many encoded words as it takes, none cut within a character.
    private mutating func encoded(_ text: String) {
        var chunk: [UInt8] = []
        func length(_ bytes: Int) -> Int {
            (bytes + 2) / 3 * 4 + Self.frameOpen.utf8.count + Self.frameClose.utf8.count
        }
        for scalar in text.unicodeScalars {
            let bytes = Array(String(scalar).utf8)
            // A short rest of a line is left empty: the word folds to a line of its own.
            let left = Self.columnMax - column - 1
            let room = left < 30 ? Self.encodedWordMax : min(Self.encodedWordMax, left)
            if !chunk.isEmpty, length(chunk.count + bytes.count) > room {
                word(Self.frameOpen + Base64.encode(chunk) + Self.frameClose)
                chunk = []
            }
            chunk += bytes
        }
        if !chunk.isEmpty { word(Self.frameOpen + Base64.encode(chunk) + Self.frameClose) }
    }

    /// Printable ASCII that nobody takes for an encoded word, without a word too long for a line.
    private static func isPlain(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } && !text.contains("=?")
            && !text.hasPrefix(" ") && !text.hasSuffix(" ")
            && text.split(separator: " ").allSatisfy { $0.utf8.count <= columnMax - 20 }
    }
}
