import Wire

/// The days of the week on which work is done.
struct WorkingDays: Sendable {
    /// ISO weekdays, Monday is 1.
    private let weekdays: Set<Int>

    init(_ weekdays: [Int]) { self.weekdays = Set(weekdays) }

    func contains(_ day: LocalDate) -> Bool {
        // 1970-01-01 was a Thursday.
        let weekday = (day.daysSince1970 % 7 + 7 + 3) % 7 + 1
        return weekdays.contains(weekday)
    }

    func count(from first: LocalDate, through last: LocalDate) -> Int {
        first.days(through: last).count(where: contains)
    }
}

extension LocalDate {
    /// This day and those after it up to the last; none when that is earlier.
    func days(through last: LocalDate) -> [LocalDate] {
        guard self <= last else { return [] }
        return (daysSince1970...last.daysSince1970).map(LocalDate.init(daysSince1970:))
    }

    func adding(_ days: Int) -> LocalDate { LocalDate(daysSince1970: daysSince1970 + days) }
}
