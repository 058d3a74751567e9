import Wire

/// Dates as HTTP writes them (RFC 9110 section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
public enum HTTPDate {
    public static let length = 29

    /// Writes the one form that is sent.
    public static func write(_ time: Timestamp, into out: ByteWriter) {
        let seconds = time.seconds
        let days = Int(seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400)
        let ofDay = Int(seconds) - days * 86_400
        let (year, month, day) = LocalDate(daysSince1970: days).civil
        out.reserve(length)
        // 1970-01-01 was a Thursday.
        out.write(dayNames[((days + 4) % 7 + 7) % 7])
        out.write(", ")
        out.writePadded(day, width: 2)
        out.write(UInt8(ascii: " "))
        out.write(monthNames[month - 1])
        out.write(UInt8(ascii: " "))
        out.writePadded(year, width: 4)
        out.write(UInt8(ascii: " "))
        out.writePadded(ofDay / 3600, width: 2)
        out.write(UInt8(ascii: ":"))
        out.writePadded(ofDay / 60 % 60, width: 2)
        out.write(UInt8(ascii: ":"))
        out.writePadded(ofDay % 60, width: 2)
        out.write(" GMT")
    }

    public static func string(_ time: Timestamp) -> String {
        let out = ByteWriter(capacity: 64)
        write(time, into: out)
        return out.string
    }

    /// Reads that form and the two obsolete ones; nil for anything else.
    ///
    /// - Parameter now: a two-digit year that would lie more than 50 years ahead of it is one of the past.
    public static func parse(_ text: some StringProtocol, now: Timestamp = .now) -> Timestamp? {
        text.reading { reader in
            guard let name = letters(&reader) else { return nil }
            if reader.take(UInt8(ascii: ",")) {
                return dayNames.contains(name)
                    ? fixed(&reader)
                    : longDayNames.contains(name) ? rfc850(&reader, now) : nil
            }
            return dayNames.contains(name) ? asctime(&reader) : nil
        }
    }

    /// ` 06 Nov 1994 08:49:37 GMT`
    private static func fixed(_ reader: inout FieldReader) -> Timestamp? {
        let space = UInt8(ascii: " ")
        guard reader.take(space), let day = number(&reader, 2), reader.take(space),
            let month = month(&reader),
            reader.take(space), let year = number(&reader, 4), reader.take(space)
        else { return nil }
        return zulu(&reader, year, month, day)
    }

    /// ` 06-Nov-94 08:49:37 GMT`
    private static func rfc850(_ reader: inout FieldReader, _ now: Timestamp) -> Timestamp? {
        let dash = UInt8(ascii: "-")
        guard reader.take(UInt8(ascii: " ")), let day = number(&reader, 2), reader.take(dash),
            let month = month(&reader), reader.take(dash), let short = number(&reader, 2),
            reader.take(UInt8(ascii: " "))
        else { return nil }
        let thisYear = LocalDate(daysSince1970: Int(now.seconds / 86_400)).civil.year
        var year = thisYear - thisYear % 100 + short
        if year > thisYear + 50 { year -= 100 }
        return zulu(&reader, year, month, day)
    }

    /// ` Nov  6 08:49:37 1994`
    private static func asctime(_ reader: inout FieldReader) -> Timestamp? {
        let space = UInt8(ascii: " ")
        guard reader.take(space), let month = month(&reader), reader.take(space) else { return nil }
        let day = reader.take(space) ? number(&reader, 1) : number(&reader, 2)
        guard let day, reader.take(space), let ofDay = time(&reader), reader.take(space),
            let year = number(&reader, 4), reader.atEnd
        else { return nil }
        return instant(year, month, day, ofDay)
    }

    private static func zulu(_ reader: inout FieldReader, _ year: Int, _ month: Int, _ day: Int) -> Timestamp?
    {
        guard let ofDay = time(&reader), reader.take(UInt8(ascii: " ")), letters(&reader) == "GMT",
            reader.atEnd
        else { return nil }
        return instant(year, month, day, ofDay)
    }

    private static func instant(_ year: Int, _ month: Int, _ day: Int, _ ofDay: Int) -> Timestamp? {
        guard let date = LocalDate(year: year, month: month, day: day) else { return nil }
        return Timestamp(seconds: Int64(date.daysSince1970 * 86_400 + ofDay))
    }

    private static func time(_ reader: inout FieldReader) -> Int? {
        let colon = UInt8(ascii: ":")
        guard let hour = number(&reader, 2), hour < 24, reader.take(colon), let minute = number(&reader, 2),
            minute < 60, reader.take(colon), let second = number(&reader, 2), second <= 60
        else { return nil }
        return hour * 3600 + minute * 60 + second
    }

    private static func number(_ reader: inout FieldReader, _ width: Int) -> Int? {
        var value = 0
        for _ in 0..<width {
            guard let digit = reader.next, digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else {
                return nil
            }
            value = value * 10 + Int(digit - UInt8(ascii: "0"))
            reader.skip(1)
        }
        return value
    }

    private static func letters(_ reader: inout FieldReader) -> String? {
        let found = reader.take {
            $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "z") && $0 != UInt8(ascii: "_")
        }
        return found.isEmpty ? nil : String(decoding: found, as: UTF8.self)
    }

    private static func month(_ reader: inout FieldReader) -> Int? {
        letters(&reader).flatMap(monthNames.firstIndex).map { $0 + 1 }
    }

    private static let dayNames = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let longDayNames = [
        "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
    ]
    private static let monthNames = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
