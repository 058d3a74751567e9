import Wire

/// The question for the texts under one name, as it goes out.
struct TextQuestion {
    let id: UInt16
    let bytes: [UInt8]
    /// Name, type and class: what an answer must repeat.
    let body: [UInt8]

    /// Nil when the text is no name.
    init?(_ name: String, id: UInt16) {
        let labels = name.lowercased().split(separator: ".", omittingEmptySubsequences: false)
        guard !labels.isEmpty, labels.allSatisfy({ (1...63).contains($0.utf8.count) }), name.utf8.count <= 253
        else {
            return nil
        }
        // TXT, IN.
        body = labels.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0, 0, 16, 0, 1]
        self.id = id
        // Recursion desired, one question.
        bytes = [UInt8(id >> 8), UInt8(id & 0xFF), 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0] + body
    }
}

/// What a name server said.
struct TextAnswer {
    /// 0: here it is; 3: there is no such name.
    let code: Int
    let texts: [String]

    static func isCutOff(_ message: [UInt8]) -> Bool { message.count > 2 && message[2] & 0x02 != 0 }

    static func isTo(_ question: TextQuestion, _ message: [UInt8]) -> Bool {
        message.count >= 12 + question.body.count && message[0] == UInt8(question.id >> 8)
            && message[1] == UInt8(question.id & 0xFF) && message[2] & 0x80 != 0 && message[4] == 0
            && message[5] == 1
            && message[12..<12 + question.body.count].elementsEqual(question.body) { Self.lower($0) == $1 }
    }

    private static func lower(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }

    /// Nil when it is no answer to this question, or damaged.
    init?(_ message: [UInt8], to question: TextQuestion) {
        guard Self.isTo(question, message) else { return nil }
        code = Int(message[3] & 0x0F)
        let count = Int(message[6]) << 8 | Int(message[7])
        var at = 12 + question.body.count
        var found: [String] = []
        for _ in 0..<count {
            guard let end = Self.endOfName(message, at), end + 10 <= message.count else { return nil }
            let kind = Int(message[end]) << 8 | Int(message[end + 1])
            let length = Int(message[end + 8]) << 8 | Int(message[end + 9])
            let start = end + 10
            guard start + length <= message.count else { return nil }
            if kind == 16 {
                guard let text = Self.text(message[start..<start + length]) else { return nil }
                found.append(text)
            }
            at = start + length
        }
        texts = found
    }

    /// Where the name at `start` is over; a pointer ends it.
    private static func endOfName(_ message: [UInt8], _ start: Int) -> Int? {
        var at = start
        while at < message.count {
            let length = Int(message[at])
            if length == 0 { return at + 1 }
            if length & 0xC0 == 0xC0 { return at + 2 }
            guard length < 64 else { return nil }
            at += 1 + length
        }
        return nil
    }

    /// One record may be several strings, which are one text.
    private static func text(_ data: ArraySlice<UInt8>) -> String? {
        var bytes: [UInt8] = []
        var rest = data
        while let length = rest.first.map(Int.init) {
            guard rest.count > length else { return nil }
            bytes += rest.dropFirst().prefix(length)
            rest = rest.dropFirst(1 + length)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
