extension JSONPrinter {
    private static let microsecondsPerDay: Int64 = 86_400_000_000

    /// RFC 3339 with six digits of fraction; without a zone when the column has none.
    @inline(__always) static func timestamp(_ since2000: Int64, zone: Bool, at start: Room) -> Room {
        if since2000 == .max { return literal("\"infinity\"", at: start) }
        if since2000 == .min { return literal("\"-infinity\"", at: start) }
        var day = since2000 / microsecondsPerDay
        var ofDay = since2000 % microsecondsPerDay
        if ofDay < 0 {
            ofDay &+= microsecondsPerDay
            day &-= 1
        }
        var out = put("\"", at: start)
        out = civil(Int(day), at: out)
        out = put("T", at: out)
        out = clock(ofDay, at: out)
        if zone { out = put("Z", at: out) }
        return put("\"", at: out)
    }

    @inline(__always) static func date(_ since2000: Int32, at start: Room) -> Room {
        if since2000 == .max { return literal("\"infinity\"", at: start) }
        if since2000 == .min { return literal("\"-infinity\"", at: start) }
        return put("\"", at: civil(Int(since2000), at: put("\"", at: start)))
    }

    static func time(_ ofDay: Int64, at start: Room) -> Room {
        put("\"", at: clock(ofDay, at: put("\"", at: start)))
    }

    @inline(__always) private static func clock(_ ofDay: Int64, at start: Room) -> Room {
        let seconds = Int(ofDay / 1_000_000)
        let fraction = Int(ofDay % 1_000_000)
        var out = two(seconds / 3600, at: start)
        out = put(":", at: out)
        out = two(seconds / 60 % 60, at: out)
        out = put(":", at: out)
        out = two(seconds % 60, at: out)
        out = put(".", at: out)
        out = two(fraction / 10_000, at: out)
        out = two(fraction / 100 % 100, at: out)
        return two(fraction % 100, at: out)
    }

    /// The date so many days after 2000-01-01: years begin in March here, so that the leap day is the last of its year.
    @inline(__always) private static func civil(_ since2000: Int, at start: Room) -> Room {
        let shifted = since2000 &+ 730_425
        let era = (shifted >= 0 ? shifted : shifted &- 146_096) / 146_097
        let ofEra = shifted &- era &* 146_097
        let yearOfEra = (ofEra &- ofEra / 1460 &+ ofEra / 36_524 &- ofEra / 146_096) / 365
        let ofYear = ofEra &- (365 &* yearOfEra &+ yearOfEra / 4 &- yearOfEra / 100)
        let fromMarch = (5 &* ofYear &+ 2) / 153
        let month = fromMarch < 10 ? fromMarch &+ 3 : fromMarch &- 9
        let year = yearOfEra &+ era &* 400 &+ (month <= 2 ? 1 : 0)
        var out = start
        if year >= 0 && year <= 9999 {
            out = two(year % 100, at: two(year / 100, at: out))
        } else {
            out = farYear(year, at: out)
        }
        out = put("-", at: out)
        out = two(month, at: out)
        out = put("-", at: out)
        return two(ofYear &- (153 &* fromMarch &+ 2) / 5 &+ 1, at: out)
    }

    /// The expanded years of ISO 8601: a sign and six digits.
    @inline(never) private static func farYear(_ year: Int, at start: Room) -> Room {
        let out = put(year < 0 ? "-" : "+", at: start)
        let size = abs(year)
        return two(size % 100, at: two(size / 100 % 100, at: two(size / 10_000, at: out)))
    }

    /// ISO 8601 duration, each part with its own sign as PostgreSQL keeps them: `P1Y2M3DT4H5M6.5S`.
    static func interval(_ bytes: Bytes, at start: Room) -> Room {
        let months = Int64(Binary.int32(bytes + 12))
        let days = Int64(Binary.int32(bytes + 8))
        let micro = Binary.int64(bytes)
        var out = literal("\"P", at: start)
        out = part(months / 12, "Y", at: out)
        out = part(months % 12, "M", at: out)
        out = part(days, "D", at: out)
        if micro != 0 {
            out = put("T", at: out)
            out = part(micro / 3_600_000_000, "H", at: out)
            out = part(micro / 60_000_000 % 60, "M", at: out)
            out = seconds(micro % 60_000_000, at: out)
        } else if months == 0 && days == 0 {
            out = literal("T0S", at: out)
        }
        return put("\"", at: out)
    }

    private static func part(_ number: Int64, _ unit: Unicode.Scalar, at out: Room) -> Room {
        number == 0 ? out : put(unit, at: decimal(number, at: out))
    }

    private static func seconds(_ micro: Int64, at start: Room) -> Room {
        if micro == 0 { return start }
        var out = micro < 0 ? put("-", at: start) : start
        out = decimal(Int64(micro.magnitude / 1_000_000), at: out)
        let fraction = Int(micro.magnitude % 1_000_000)
        if fraction != 0 {
            out = put(".", at: out)
            out = two(fraction % 100, at: two(fraction / 100 % 100, at: two(fraction / 10_000, at: out)))
            while out[-1] == UInt8(ascii: "0") { out -= 1 }
        }
        return put("S", at: out)
    }
}
