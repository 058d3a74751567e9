import Wire

extension CSV {
    /// What keeps a text from being read, and on which line.
    public struct Fault: Error {
        public let line: Int
        public let reason: String
    }

    /// The rows of a text (RFC 4180; UTF-8 with or without a byte order mark). The cells may be parted by commas or, as
    /// spreadsheets of some countries have it, by semicolons: the first line says which. Empty lines are passed over.
    public static func read(_ bytes: [UInt8]) throws(Fault) -> [[String]] {
        let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        guard let text = String(validating: bytes[start...], as: UTF8.self) else {
            throw Fault(line: 1, reason: "is not UTF-8")
        }
        var reader = CSVReader(text.utf8, separator: separator(of: text))
        return try reader.rows()
    }

    private static func separator(of text: String) -> UInt8 {
        let first = text.utf8.prefix { $0 != UInt8(ascii: "\n") }
        let semicolons = first.count { $0 == UInt8(ascii: ";") }
        return semicolons > first.count { $0 == UInt8(ascii: ",") } ? UInt8(ascii: ";") : UInt8(ascii: ",")
    }
}

private struct CSVReader {
    private let bytes: [UInt8]
    private let separator: UInt8
    private var place = 0
    private var line = 1

    init(_ text: some Sequence<UInt8>, separator: UInt8) {
        bytes = Array(text)
        self.separator = separator
    }

    mutating func rows() throws(CSV.Fault) -> [[String]] {
        var rows: [[String]] = []
        while place < bytes.count {
            var row: [String] = []
            repeat { row.append(try cell()) } while passes(separator)
            if !passes(UInt8(ascii: "\n")), place < bytes.count {
                throw CSV.Fault(line: line, reason: "has text behind a closing quote")
            }
            line += 1
            if row != [""] { rows.append(row) }
        }
        return rows
    }

    private mutating func cell() throws(CSV.Fault) -> String {
        guard passes(UInt8(ascii: "\"")) else {
            let start = place
            while place < bytes.count, bytes[place] != separator, bytes[place] != UInt8(ascii: "\n") { place += 1 }
            var end = place
            if end > start, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
            return String(decoding: bytes[start..<end], as: UTF8.self)
        }
        let opened = line
        var text: [UInt8] = []
        while place < bytes.count {
            let byte = bytes[place]
            place += 1
            if byte == UInt8(ascii: "\n") { line += 1 }
            guard byte == UInt8(ascii: "\"") else {
                text.append(byte)
                continue
            }
            guard passes(UInt8(ascii: "\"")) else {
                _ = passes(UInt8(ascii: "\r"))
                return String(decoding: text, as: UTF8.self)
            }
            text.append(byte)
        }
        throw CSV.Fault(line: opened, reason: "opens a quote that is never closed")
    }

    private mutating func passes(_ byte: UInt8) -> Bool {
        guard place < bytes.count, bytes[place] == byte else { return false }
        place += 1
        return true
    }
}
