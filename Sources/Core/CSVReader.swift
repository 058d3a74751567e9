/// Reads comma-separated values as people have them: any of the usual delimiters and encodings, quotes across lines, any
/// kind of line end. Bytes go in as they come, records come out.
public struct CSVReader: Sendable {
    public struct Record: Sendable, Equatable {
        public var cells: [String] = []
        /// A cell is longer than allowed, not in the encoding, or in quotes that are never closed.
        public var isBroken = false
    }

    private enum Place { case cellStart, inCell, inQuotes, afterQuote }

    private let delimiter: UInt8
    private let cellBytesMax: Int
    private let cellsMax: Int
    private var decoder: TextDecoder
    private var place = Place.cellStart
    private var cell: [UInt8] = []
    private var record = Record()
    private var wasReturn = false
    private var hasContent = false

    public init(delimiter: UInt8, encoding: TextEncoding, cellBytesMax: Int, cellsMax: Int) {
        self.delimiter = delimiter
        self.cellBytesMax = cellBytesMax
        self.cellsMax = cellsMax
        decoder = TextDecoder(encoding)
    }

    /// Gives each record to `take` as it is complete. Empty lines are passed over.
    public mutating func feed(_ bytes: [UInt8], _ take: (Record) throws -> Void) rethrows {
        for byte in decoder.utf8(bytes) { try step(byte, take) }
    }

    /// The last record may end without a line end; within quotes that nobody closed it is broken.
    public mutating func finish(_ take: (Record) throws -> Void) rethrows {
        for byte in decoder.finish() { try step(byte, take) }
        if place == .inQuotes { record.isBroken = true }
        if hasContent || !record.cells.isEmpty { try endRecord(take) }
    }

    private mutating func step(_ byte: UInt8, _ take: (Record) throws -> Void) rethrows {
        if place == .inQuotes {
            if byte == UInt8(ascii: "\"") { place = .afterQuote } else { add(byte) }
            return
        }
        if wasReturn {
            wasReturn = false
            if byte == UInt8(ascii: "\n") { return }
        }
        switch byte {
        case delimiter: endCell()
        case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
            wasReturn = byte == UInt8(ascii: "\r")
            if hasContent || !record.cells.isEmpty { try endRecord(take) }
        case UInt8(ascii: "\""):
            switch place {
            case .cellStart:
                place = .inQuotes
                hasContent = true
            case .afterQuote:
                add(byte)
                place = .inQuotes
            // A quote within a cell that does not begin with one stands for itself.
            case .inCell, .inQuotes: add(byte)
            }
        default:
            if place == .cellStart { place = .inCell }
            add(byte)
        }
    }

    private mutating func add(_ byte: UInt8) {
        hasContent = true
        if cell.count < cellBytesMax { cell.append(byte) } else { record.isBroken = true }
    }

    private mutating func endCell() {
        if record.cells.count < cellsMax {
            if let text = String(validating: cell, as: UTF8.self) {
                record.cells.append(text)
            } else {
                record.cells.append(String(decoding: cell, as: UTF8.self))
                record.isBroken = true
            }
        } else if !cell.isEmpty {
            record.isBroken = true
        }
        cell.removeAll(keepingCapacity: true)
        place = .cellStart
        hasContent = false
    }

    private mutating func endRecord(_ take: (Record) throws -> Void) rethrows {
        endCell()
        let whole = record
        record = Record()
        try take(whole)
    }
}

/// What a text is written in.
public enum TextEncoding: String, Codable, CaseIterable, Sendable {
    case utf8 = "utf-8"
    case utf16LittleEndian = "utf-16le"
    case utf16BigEndian = "utf-16be"
    case windows1252 = "windows-1252"

    /// What the beginning of a text looks like: by its mark, else UTF-8 unless it cannot be.
    public static func guessed(from beginning: [UInt8]) -> TextEncoding {
        if beginning.starts(with: [0xFF, 0xFE]) { return .utf16LittleEndian }
        if beginning.starts(with: [0xFE, 0xFF]) { return .utf16BigEndian }
        // The sample may end within a sign of up to four bytes.
        let whole = (0..<4).contains { cut in
            cut <= beginning.count && String(validating: beginning.dropLast(cut), as: UTF8.self) != nil
        }
        return whole ? .utf8 : .windows1252
    }
}

/// Makes UTF-8 of other encodings, piece by piece; what is none is left for the reader to find.
struct TextDecoder: Sendable {
    private let encoding: TextEncoding
    private var isAtStart = true
    private var rest: [UInt8] = []

    init(_ encoding: TextEncoding) { self.encoding = encoding }

    mutating func utf8(_ bytes: [UInt8]) -> [UInt8] {
        switch encoding {
        case .utf8: return withoutMark(bytes)
        case .windows1252: return bytes.flatMap { Self.windows1252[Int($0)] }
        case .utf16LittleEndian, .utf16BigEndian: return utf16(bytes)
        }
    }

    mutating func finish() -> [UInt8] {
        let left = rest
        rest = []
        return left.isEmpty || encoding == .utf8 ? left : Array("\u{FFFD}".utf8)
    }

    private mutating func withoutMark(_ bytes: [UInt8]) -> [UInt8] {
        guard isAtStart else { return bytes }
        let all = rest + bytes
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        if all.count < 3, mark.starts(with: all) {
            rest = all
            return []
        }
        isAtStart = false
        rest = []
        return all.starts(with: mark) ? Array(all.dropFirst(3)) : all
    }

    private mutating func utf16(_ bytes: [UInt8]) -> [UInt8] {
        let all = rest + bytes
        var units: [UInt16] = []
        units.reserveCapacity(all.count / 2)
        var at = 0
        while at + 1 < all.count {
            let (low, high) = encoding == .utf16LittleEndian ? (all[at], all[at + 1]) : (all[at + 1], all[at])
            units.append(UInt16(high) << 8 | UInt16(low))
            at += 2
        }
        // Half a pair waits for its other half.
        if let last = units.last, UTF16.isLeadSurrogate(last) {
            units.removeLast()
            at -= 2
        }
        rest = Array(all[at...])
        if isAtStart, let first = units.first {
            isAtStart = false
            if first == 0xFEFF { units.removeFirst() }
        }
        return Array(String(decoding: units, as: UTF16.self).utf8)
    }

    private static let windows1252: [[UInt8]] = {
        let special: [UInt8: UInt32] = [
            0x80: 0x20AC, 0x82: 0x201A, 0x83: 0x0192, 0x84: 0x201E, 0x85: 0x2026, 0x86: 0x2020,
            0x87: 0x2021, 0x88: 0x02C6, 0x89: 0x2030, 0x8A: 0x0160, 0x8B: 0x2039, 0x8C: 0x0152,
            0x8E: 0x017D, 0x91: 0x2018, 0x92: 0x2019, 0x93: 0x201C, 0x94: 0x201D, 0x95: 0x2022,
            0x96: 0x2013, 0x97: 0x2014, 0x98: 0x02DC, 0x99: 0x2122, 0x9A: 0x0161, 0x9B: 0x203A,
            0x9C: 0x0153, 0x9E: 0x017E, 0x9F: 0x0178,
        ]
        return (0...255).map { byte in
            let scalar = Unicode.Scalar(special[UInt8(byte)] ?? UInt32(byte)) ?? "\u{FFFD}"
            return Array(String(Character(scalar)).utf8)
        }
    }()
}

extension CSVReader {
    /// The first records of a text, read with this delimiter.
    public static func sample(
        _ bytes: [UInt8], delimiter: UInt8, encoding: TextEncoding, isWhole: Bool, cellBytesMax: Int,
        cellsMax: Int
    ) -> [Record] {
        var reader = CSVReader(
            delimiter: delimiter, encoding: encoding, cellBytesMax: cellBytesMax, cellsMax: cellsMax)
        var records: [Record] = []
        reader.feed(bytes) { records.append($0) }
        // What is cut off is no record.
        if isWhole { reader.finish { records.append($0) } }
        return records
    }

    /// The delimiter by which most of the first records have the same number of cells, more than one.
    public static func guessedDelimiter(_ bytes: [UInt8], encoding: TextEncoding, isWhole: Bool) -> UInt8 {
        let candidates = [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t"), UInt8(ascii: "|")]
        let scored = candidates.map { delimiter -> (delimiter: UInt8, score: Int, width: Int) in
            let records = sample(
                bytes, delimiter: delimiter, encoding: encoding, isWhole: isWhole, cellBytesMax: 1 << 16,
                cellsMax: 1_000
            ).prefix(50)
            guard let width = records.first?.cells.count, width > 1 else { return (delimiter, 0, 0) }
            return (delimiter, records.filter { $0.cells.count == width }.count, width)
        }
        let best = scored.max { ($0.score, $0.width) < ($1.score, $1.width) }
        return best.flatMap { $0.score > 0 ? $0.delimiter : nil } ?? candidates[0]
    }
}
