import Glibc

/// An instant, counted in microseconds since 1970 in UTC, as PostgreSQL keeps `timestamptz`; on the wire RFC 3339
/// with six digits of fraction and `Z`.
public struct Timestamp: Hashable, Comparable, Sendable {
    public let microseconds: Int64

    @inlinable public init(microseconds: Int64) { self.microseconds = microseconds }
    @inlinable public init(seconds: Int64) { microseconds = seconds * 1_000_000 }

    /// Reads RFC 3339 with any offset; a leap second counts as the next second, digits past the sixth are dropped.
    public init?(_ text: some StringProtocol) {
        var reader = CivilReader(text)
        guard let day = reader.date(), reader.oneOf("Tt "), let hour = reader.number(2), hour < 24,
            reader.oneOf(":"), let minute = reader.number(2), minute < 60,
            reader.oneOf(":"), let second = reader.number(2), second <= 60,
            let fraction = reader.fraction(), let offset = reader.offset(), reader.atEnd
        else { return nil }
        let ofDay = Int64(hour * 3600 + minute * 60 + second - offset * 60)
        microseconds = (Int64(day) * 86_400 + ofDay) * 1_000_000 + Int64(fraction)
    }

    public static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }

    public var seconds: Int64 {
        microseconds >= 0 ? microseconds / 1_000_000 : (microseconds - 999_999) / 1_000_000
    }

    @inlinable public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.microseconds < right.microseconds
    }

    public static func + (left: Timestamp, right: Duration) -> Timestamp {
        let (seconds, atto) = right.components
        return Timestamp(microseconds: left.microseconds + seconds * 1_000_000 + atto / 1_000_000_000_000)
    }

    public static func - (left: Timestamp, right: Duration) -> Timestamp { left + (.zero - right) }

    public static func - (left: Timestamp, right: Timestamp) -> Duration {
        .microseconds(left.microseconds - right.microseconds)
    }
}

/// A day of the calendar without a time zone, counted from 1970-01-01; on the wire `YYYY-MM-DD`.
public struct LocalDate: Hashable, Comparable, Sendable {
    public let daysSince1970: Int

    @inlinable public init(daysSince1970: Int) { self.daysSince1970 = daysSince1970 }

    public init?(year: Int, month: Int, day: Int) {
        guard (1...12).contains(month), (1...Self.days(in: month, of: year)).contains(day) else { return nil }
        // Days from the civil date: years begin in March, so that the leap day is the last of its year.
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let ofEra = shifted - era * 400
        let ofYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        daysSince1970 = era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468
    }

    public init?(_ text: some StringProtocol) {
        var reader = CivilReader(text)
        guard let day = reader.date(), reader.atEnd else { return nil }
        daysSince1970 = day
    }

    public var civil: (year: Int, month: Int, day: Int) {
        let shifted = daysSince1970 + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let ofEra = shifted - era * 146_097
        let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * ofYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, ofYear - (153 * monthFromMarch + 2) / 5 + 1
        )
    }

    @inlinable public static func < (left: LocalDate, right: LocalDate) -> Bool {
        left.daysSince1970 < right.daysSince1970
    }

    private static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

/// Reads the parts of a date and time from left to right.
private struct CivilReader {
    private let bytes: [UInt8]
    private var at = 0

    init(_ text: some StringProtocol) { bytes = Array(text.utf8) }

    var atEnd: Bool { at == bytes.count }

    mutating func number(_ width: Int) -> Int? {
        guard at + width <= bytes.count else { return nil }
        var value = 0
        for byte in bytes[at..<at + width] {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        at += width
        return value
    }

    mutating func oneOf(_ choices: String) -> Bool {
        guard at < bytes.count, choices.utf8.contains(bytes[at]) else { return false }
        at += 1
        return true
    }

    mutating func date() -> Int? {
        guard let year = number(4), oneOf("-"), let month = number(2), oneOf("-"), let day = number(2) else {
            return nil
        }
        return LocalDate(year: year, month: month, day: day)?.daysSince1970
    }

    /// Microseconds; 0 when there is no fraction.
    mutating func fraction() -> Int? {
        guard oneOf(".") else { return 0 }
        var value = 0
        var digits = 0
        while at < bytes.count, bytes[at] >= UInt8(ascii: "0"), bytes[at] <= UInt8(ascii: "9") {
            if digits < 6 { value = value * 10 + Int(bytes[at] - UInt8(ascii: "0")) }
            digits += 1
            at += 1
        }
        guard digits > 0 else { return nil }
        for _ in min(digits, 6)..<6 { value *= 10 }
        return value
    }

    /// Minutes east of UTC.
    mutating func offset() -> Int? {
        if oneOf("Zz") { return 0 }
        let east = oneOf("+")
        guard east || oneOf("-") else { return nil }
        guard let hours = number(2), hours < 24, oneOf(":"), let minutes = number(2), minutes < 60 else {
            return nil
        }
        return (east ? 1 : -1) * (hours * 60 + minutes)
    }
}

extension ByteWriter {
    public func write(_ date: LocalDate) {
        let (year, month, day) = date.civil
        writeYear(year)
        write(UInt8(ascii: "-"))
        writePadded(month, width: 2)
        write(UInt8(ascii: "-"))
        writePadded(day, width: 2)
    }

    /// Four digits; beyond them a sign and at least six, as ISO 8601 and JavaScript have it. PostgreSQL keeps such
    /// years; we read none.
    private func writeYear(_ year: Int) {
        if (0...9999).contains(year) { return writePadded(year, width: 4) }
        write(UInt8(ascii: year < 0 ? "-" : "+"))
        writePadded(abs(year), width: abs(year) > 999_999 ? 7 : 6)
    }

    public func write(_ time: Timestamp) {
        let seconds = time.seconds
        let micro = Int(time.microseconds - seconds * 1_000_000)
        let day = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
        let ofDay = Int(seconds - day * 86_400)
        reserve(27)
        write(LocalDate(daysSince1970: Int(day)))
        write(UInt8(ascii: "T"))
        writePadded(ofDay / 3600, width: 2)
        write(UInt8(ascii: ":"))
        writePadded(ofDay / 60 % 60, width: 2)
        write(UInt8(ascii: ":"))
        writePadded(ofDay % 60, width: 2)
        write(UInt8(ascii: "."))
        writePadded(micro, width: 6)
        write(UInt8(ascii: "Z"))
    }
}

extension Timestamp: CustomStringConvertible {
    public var description: String {
        let writer = ByteWriter(capacity: 64)
        writer.write(self)
        return writer.string
    }
}

extension LocalDate: CustomStringConvertible {
    public var description: String {
        let writer = ByteWriter(capacity: 64)
        writer.write(self)
        return writer.string
    }
}

extension Timestamp: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let time = Timestamp(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "is not an RFC 3339 time")
        }
        self = time
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension LocalDate: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let date = LocalDate(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "is not a date (YYYY-MM-DD)")
        }
        self = date
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
