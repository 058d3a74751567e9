import Wire

/// Writes a calendar as RFC 5545 has it: lines of 75 octets and CRLF, texts escaped, whole days without a zone and times
/// in UTC.
struct CalendarFile {
    private let out = ByteWriter(capacity: 16 << 10)
    private let host: String
    private let base: String

    /// - Parameter publicURL: where the links of the entries lead; its host makes their identifiers the world's.
    init(name: String, publicURL: String) {
        base = publicURL.hasSuffix("/") ? String(publicURL.dropLast()) : publicURL
        host =
            base.split(separator: "/").dropFirst().first.map { String($0.prefix { $0 != ":" }) }
            ?? "localhost"
        line("BEGIN:VCALENDAR")
        line("VERSION:2.0")
        line("PRODID:-//Infinity//Calendar//EN")
        line("CALSCALE:GREGORIAN")
        line("NAME:\(Self.escaped(name))")
        line("X-WR-CALNAME:\(Self.escaped(name))")
        line("REFRESH-INTERVAL;VALUE=DURATION:PT1H")
    }

    func add(_ entry: CalendarEntry) {
        line("BEGIN:VEVENT")
        line("UID:\(entry.kind)-\(entry.id)@\(host)")
        line("DTSTAMP:\(Self.time(entry.updatedAt))")
        line("CREATED:\(Self.time(entry.createdAt))")
        line("LAST-MODIFIED:\(Self.time(entry.updatedAt))")
        line("SEQUENCE:\(max(0, entry.version - 1))")
        if let day = entry.startsOn {
            // The end is the day on which it is over.
            let last = max(day.daysSince1970, (entry.endsOn ?? day).daysSince1970)
            line("DTSTART;VALUE=DATE:\(Self.day(day))")
            line("DTEND;VALUE=DATE:\(Self.day(LocalDate(daysSince1970: last + 1)))")
        } else if let start = entry.startsAt {
            line("DTSTART:\(Self.time(start))")
            if let end = entry.endsAt, end > start { line("DTEND:\(Self.time(end))") }
        }
        line("SUMMARY:\(Self.escaped((entry.isDone ? "✓ " : "") + entry.title))")
        if let description = entry.description, !description.isEmpty {
            line("DESCRIPTION:\(Self.escaped(description))")
        }
        line("URL:\(base)\(entry.link)")
        line("CATEGORIES:\(Self.escaped(entry.kind))")
        line("TRANSP:TRANSPARENT")
        line("END:VEVENT")
    }

    func finished() -> [UInt8] {
        line("END:VCALENDAR")
        return out.array
    }

    /// Folded where it is longer than 75 octets, and never within a sign.
    private func line(_ text: String) {
        var room = 75
        for scalar in text.unicodeScalars {
            let width = UTF8.width(scalar)
            if width > room {
                out.write("\r\n ")
                room = 74
            }
            out.write(String(Character(scalar)))
            room -= width
        }
        out.write("\r\n")
    }

    private static func escaped(_ text: String) -> String {
        var out = ""
        var wasReturn = false
        for scalar in text.unicodeScalars {
            defer { wasReturn = scalar == "\r" }
            switch scalar {
            case "\\": out += "\\\\"
            case ";": out += "\\;"
            case ",": out += "\\,"
            case "\n": if !wasReturn { out += "\\n" }
            case "\r": out += "\\n"
            case "\t": out += "\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F: continue
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    private static func day(_ day: LocalDate) -> String { day.description.filter { $0 != "-" } }

    private static func time(_ time: Timestamp) -> String {
        "\(time.description.prefix(19).filter { $0 != "-" && $0 != ":" })Z"
    }
}
