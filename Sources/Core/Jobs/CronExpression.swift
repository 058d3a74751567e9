import Wire

/// Times written as five fields: minute, hour, day of month, month, day of week. Each is `*`, a number, a range `a-b`,
/// either with a step `/n`, or a list of such; months and weekdays may be named, Sunday is 0 or 7. Where both days are
/// restricted, either will do.
///
/// In a zone with summer time: a time that the clock skips happens when it jumps; one that comes twice happens the first
/// time. Where the hour begins with `*` every hour counts that really passes, the repeated one too.
struct CronExpression: Sendable {
    struct Fault: Error, Sendable, CustomStringConvertible {
        let description: String
    }

    private let minutes: [Int]
    private let hours: [Int]
    private let days: Set<Int>
    private let months: Set<Int>
    private let weekdays: Set<Int>
    private let isEveryHour: Bool
    private let matchesEitherDay: Bool

    init(_ text: String) throws(Fault) {
        let fields = text.split(whereSeparator: \.isWhitespace)
        guard fields.count == 5 else {
            throw Fault(description: "\"\(text)\" has \(fields.count) fields in place of 5")
        }
        minutes = try Self.values(fields[0], 0...59).sorted()
        hours = try Self.values(fields[1], 0...23).sorted()
        days = try Self.values(fields[2], 1...31)
        months = try Self.values(fields[3], 1...12, names: Self.monthNames, first: 1)
        let week = try Self.values(fields[4], 0...7, names: Self.weekdayNames, first: 0)
        weekdays = Set(week.map { $0 % 7 })
        isEveryHour = fields[1].first == "*"
        matchesEitherDay = fields[2].first != "*" && fields[4].first != "*"
    }

    private static let monthNames = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]
    private static let weekdayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

    private static func values(
        _ field: Substring, _ range: ClosedRange<Int>, names: [String] = [], first: Int = 0
    ) throws(Fault) -> Set<Int> {
        var values: Set<Int> = []
        for item in field.split(separator: ",", omittingEmptySubsequences: false) {
            let parts = item.split(separator: "/", omittingEmptySubsequences: false)
            let step = parts.count == 2 ? Int(parts[1]) : 1
            guard (1...2).contains(parts.count), let step, step > 0 else {
                throw Fault(description: "\"\(item)\" is no field of a cron expression")
            }
            let bounds = try Self.bounds(parts[0], range, names, first, isOpen: parts.count == 2)
            values.formUnion(stride(from: bounds.lowerBound, through: bounds.upperBound, by: step))
        }
        return values
    }

    private static func bounds(
        _ text: Substring, _ range: ClosedRange<Int>, _ names: [String], _ first: Int, isOpen: Bool
    ) throws(Fault) -> ClosedRange<Int> {
        if text == "*" { return range.upperBound == 7 ? 0...6 : range }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
        let numbers = ends.map { end in Int(end) ?? names.firstIndex(of: end.lowercased()).map { $0 + first }
        }
        guard (1...2).contains(ends.count), let low = numbers[0], let high = numbers[numbers.count - 1],
            range.contains(low), range.contains(high), low <= high
        else { throw Fault(description: "\"\(text)\" is not within \(range.lowerBound)-\(range.upperBound)") }
        // `5/10` goes on to the end of the range.
        return low...(ends.count == 1 && isOpen ? range.upperBound : high)
    }

    /// The first of its times after an instant; nil when there is none within nine years, as for a 30th of February.
    func next(after instant: Timestamp, in zone: ZoneRules) -> Timestamp? {
        let local = instant.seconds + Int64(zone.offset(at: instant.seconds))
        let today = Int((local - (local < 0 ? 86_399 : 0)) / 86_400)
        // The day before too: where the clock goes back over midnight, its last hour comes again.
        for day in today - 1..<today + 366 * 9 where matches(day: day) {
            let times = instants(of: day, zone).filter { $0 > instant.seconds }
            if let next = times.min() { return Timestamp(seconds: next) }
        }
        return nil
    }

    private func matches(day: Int) -> Bool {
        let civil = LocalDate(daysSince1970: day).civil
        guard months.contains(civil.month) else { return false }
        // 1970-01-01 was a Thursday.
        let ofMonth = days.contains(civil.day)
        let ofWeek = weekdays.contains(((day + 4) % 7 + 7) % 7)
        return matchesEitherDay ? ofMonth || ofWeek : ofMonth && ofWeek
    }

    private func instants(of day: Int, _ zone: ZoneRules) -> [Int64] {
        let midnight = Int64(day) * 86_400
        let before = zone.offset(at: midnight - 86_400)
        let after = zone.offset(at: midnight + 2 * 86_400)
        let offsets =
            before == after && zone.offset(at: midnight) == before
                && zone.offset(at: midnight + 86_400) == before
            ? [before]
            : Array(Set([before, after, zone.offset(at: midnight), zone.offset(at: midnight + 86_400)]))
        return hours.flatMap { hour in
            minutes.flatMap { minute -> [Int64] in
                let local = midnight + Int64(hour * 3600 + minute * 60)
                let found = offsets.map { local - Int64($0) }
                    .filter { zone.offset(at: $0) == Int(local - $0) }.sorted()
                if isEveryHour { return found }
                return [found.first ?? jump(over: local, zone)]
            }
        }
    }

    /// The instant at which the clock jumps over a local time.
    private func jump(over local: Int64, _ zone: ZoneRules) -> Int64 {
        var (low, high) = (local - 2 * 86_400, local + 2 * 86_400)
        while high - low > 1 {
            let middle = (low + high) / 2
            if middle + Int64(zone.offset(at: middle)) <= local { low = middle } else { high = middle }
        }
        return high
    }
}
