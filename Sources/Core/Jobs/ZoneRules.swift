import Glibc
import Wire

/// The offsets of a time zone, read from the system's compiled IANA database (RFC 9636): its transitions, and the rule
/// for the time after the last of them.
struct ZoneRules: Sendable {
    private let instants: [Int64]
    /// The offset before the first instant, then the one from each on.
    private let offsets: [Int]
    private let rule: PosixZone?

    static let utc = ZoneRules(instants: [], offsets: [0], rule: nil)

    /// Nil when the system knows no such zone.
    static func named(_ name: String) -> ZoneRules? {
        if name == "UTC" { return utc }
        let isPlain = name.utf8.allSatisfy { byte in
            byte != 0
                && (byte == 0x2F || byte == 0x2B || byte == 0x2D || byte == 0x5F || isLetterOrDigit(byte))
        }
        guard isPlain, !name.hasPrefix("/"), let bytes = read("/usr/share/zoneinfo/\(name)") else {
            return nil
        }
        return ZoneRules(bytes)
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    /// Seconds east of Greenwich at an instant.
    func offset(at seconds: Int64) -> Int {
        if let rule, instants.isEmpty || seconds >= instants[instants.count - 1] {
            return rule.offset(at: seconds)
        }
        var (low, high) = (0, instants.count)
        while low < high {
            let middle = (low + high) / 2
            if instants[middle] <= seconds { low = middle + 1 } else { high = middle }
        }
        return offsets[low]
    }

    private init(instants: [Int64], offsets: [Int], rule: PosixZone?) {
        self.instants = instants
        self.offsets = offsets
        self.rule = rule
    }

    /// Reads a compiled file; nil when it is none of version 2 or later.
    init?(_ bytes: [UInt8]) {
        var reader = BytesReader(bytes)
        guard let first = reader.zoneHeader(), first.version >= 2 else { return nil }
        // The first block holds times of 32 bits, for readers of long ago.
        reader.at += first.bodyLength(timeBytes: 4)
        guard let header = reader.zoneHeader(), reader.at + header.bodyLength(timeBytes: 8) <= bytes.count
        else { return nil }
        let times = (0..<header.times).map { _ in reader.integer(8) }
        let kinds = (0..<header.times).map { _ in Int(reader.integer(1)) & 0xFF }
        let types = (0..<header.types).map { _ -> Int in
            defer { reader.at += 2 }
            return Int(reader.integer(4))
        }
        guard !types.isEmpty, kinds.allSatisfy(types.indices.contains) else { return nil }
        reader.at += header.letters + header.leaps * 12 + header.standards + header.universals
        let footer = bytes[min(reader.at + 1, bytes.count)...].prefix { $0 != 0x0A }
        self.init(
            instants: times, offsets: [types[0]] + kinds.map { types[$0] },
            rule: footer.isEmpty ? nil : PosixZone(String(decoding: footer, as: UTF8.self)))
    }

    private static func read(_ path: String) -> [UInt8]? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 256 << 10)
        let count = fread(&bytes, 1, bytes.count, file)
        return count > 44 ? Array(bytes[..<count]) : nil
    }
}

/// Reads big-endian numbers from left to right; past the end it reads zeros.
private struct BytesReader {
    struct Header {
        let version: Int
        let universals: Int
        let standards: Int
        let leaps: Int
        let times: Int
        let types: Int
        let letters: Int

        func bodyLength(timeBytes: Int) -> Int {
            times * (timeBytes + 1) + types * 6 + letters + leaps * (timeBytes + 4) + standards + universals
        }
    }

    private let bytes: [UInt8]
    var at = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func integer(_ width: Int) -> Int64 {
        var value: UInt64 = 0
        for offset in at..<at + width {
            value = value << 8 | UInt64(offset < bytes.count ? bytes[offset] : 0)
        }
        at += width
        return Int64(bitPattern: value << UInt64(64 - width * 8)) >> Int64(64 - width * 8)
    }

    mutating func zoneHeader() -> Header? {
        guard at + 44 <= bytes.count, bytes[at..<at + 4].elementsEqual("TZif".utf8) else { return nil }
        let version = Int(bytes[at + 4]) - 0x30
        at += 20
        let counts = (0..<6).map { _ in Int(integer(4)) }
        guard counts.allSatisfy({ (0...100_000).contains($0) }) else { return nil }
        return Header(
            version: version, universals: counts[0], standards: counts[1], leaps: counts[2], times: counts[3],
            types: counts[4], letters: counts[5])
    }
}

/// The rule of a zone for all years to come, as POSIX writes it: `CET-1CEST,M3.5.0,M10.5.0/3`.
struct PosixZone: Sendable {
    private enum Day: Sendable {
        /// The nth of a weekday in a month, 5 for the last.
        case weekday(month: Int, nth: Int, weekday: Int)
        /// Counted from 1, without the leap day.
        case julian(Int)
        /// Counted from 0, with it.
        case ofYear(Int)
    }

    private let standard: Int
    private let summer: Int
    private var begin: (day: Day, seconds: Int)?
    private var end: (day: Day, seconds: Int)?

    init?(_ text: String) {
        var reader = PosixReader(text)
        guard reader.name(), let standard = reader.time() else { return nil }
        self.standard = -standard
        summer = reader.name() ? reader.time().map { -$0 } ?? -standard + 3600 : -standard
        guard reader.take(",") else { return }
        guard let first = Self.day(&reader) else { return nil }
        let firstAt = reader.take("/") ? reader.time() : 7200
        guard reader.take(","), let second = Self.day(&reader) else { return nil }
        let secondAt = reader.take("/") ? reader.time() : 7200
        guard let firstAt, let secondAt else { return nil }
        begin = (first, firstAt)
        end = (second, secondAt)
    }

    func offset(at seconds: Int64) -> Int {
        guard let begin, let end else { return standard }
        let days = Int((seconds + Int64(standard) - (seconds + Int64(standard) < 0 ? 86_399 : 0)) / 86_400)
        let year = LocalDate(daysSince1970: days).civil.year
        let from = Self.instant(begin, of: year) - Int64(standard)
        let until = Self.instant(end, of: year) - Int64(summer)
        let isSummer = from < until ? seconds >= from && seconds < until : seconds >= from || seconds < until
        return isSummer ? summer : standard
    }

    private static func instant(_ change: (day: Day, seconds: Int), of year: Int) -> Int64 {
        let january = LocalDate(year: year, month: 1, day: 1)!.daysSince1970
        let day: Int
        switch change.day {
        case .ofYear(let number): day = january + number
        case .julian(let number):
            let isLeap = LocalDate(year: year, month: 2, day: 29) != nil
            day = january + number - 1 + (isLeap && number >= 60 ? 1 : 0)
        case .weekday(let month, let nth, let weekday):
            let first = LocalDate(year: year, month: month, day: 1)!.daysSince1970
            let next =
                month == 12
                ? LocalDate(year: year + 1, month: 1, day: 1)!
                : LocalDate(year: year, month: month + 1, day: 1)!
            // 1970-01-01 was a Thursday.
            var found = first + (weekday - (first + 4) % 7 + 7) % 7 + (nth - 1) * 7
            while found >= next.daysSince1970 { found -= 7 }
            day = found
        }
        return Int64(day) * 86_400 + Int64(change.seconds)
    }

    private static func day(_ reader: inout PosixReader) -> Day? {
        if reader.take("M") {
            guard let month = reader.number(), reader.take("."), let nth = reader.number(), reader.take("."),
                let weekday = reader.number(), (1...12).contains(month), (1...5).contains(nth),
                (0...6).contains(weekday)
            else { return nil }
            return .weekday(month: month, nth: nth, weekday: weekday)
        }
        if reader.take("J") { return reader.number().map(Day.julian) }
        return reader.number().map(Day.ofYear)
    }
}

private struct PosixReader {
    private var rest: Substring

    init(_ text: String) { rest = text[...] }

    mutating func take(_ character: Character) -> Bool {
        guard rest.first == character else { return false }
        rest.removeFirst()
        return true
    }

    mutating func name() -> Bool {
        if take("<") {
            rest = rest.drop { $0 != ">" }
            return take(">")
        }
        let name = rest.prefix(while: \.isLetter)
        rest = rest.dropFirst(name.count)
        return !name.isEmpty
    }

    mutating func number() -> Int? {
        let digits = rest.prefix(while: \.isNumber)
        rest = rest.dropFirst(digits.count)
        return Int(digits)
    }

    /// `[+-]hh[:mm[:ss]]` in seconds.
    mutating func time() -> Int? {
        let sign = take("-") ? -1 : 1
        _ = take("+")
        guard let hours = number() else { return nil }
        let minutes = take(":") ? number() : 0
        let seconds = take(":") ? number() : 0
        guard let minutes, let seconds else { return nil }
        return sign * (hours * 3600 + minutes * 60 + seconds)
    }
}
