import API
import Postgres
import Wire

enum RecurrenceFrequency: String, Codable, CaseIterable, SQLBindable, SQLBindableElement, RowValue, Sendable {
    case daily, weekly, monthly
}

/// On which days something comes again: days of the calendar, whatever the clocks do.
struct RecurrenceRule: Sendable, Equatable {
    var frequency: RecurrenceFrequency
    /// Every so many days, weeks or months.
    var every = 1
    /// Of a week, 1 for Monday to 7; the weekday of the start when empty.
    var weekdays: [Int] = []
    /// Of a month, -1 for its last; the day of the start when absent. Shorter months end earlier: the 31st is their last.
    var dayOfMonth: Int?
    var startsOn: LocalDate
    var endsOn: LocalDate?

    /// The first of its days after one, or from its start on; nil when there is none any more.
    func next(after day: LocalDate?) -> LocalDate? {
        let from = max(startsOn, day.map { LocalDate(daysSince1970: $0.daysSince1970 + 1) } ?? startsOn)
        let found: LocalDate?
        switch frequency {
        case .daily:
            let passed = from.daysSince1970 - startsOn.daysSince1970
            found = LocalDate(daysSince1970: startsOn.daysSince1970 + (passed + every - 1) / every * every)
        case .weekly: found = nextWeekly(from)
        case .monthly: found = nextMonthly(from)
        }
        guard let found, endsOn.map({ found <= $0 }) ?? true else { return nil }
        return found
    }

    private func nextWeekly(_ from: LocalDate) -> LocalDate? {
        let wanted = weekdays.isEmpty ? [startsOn.weekday] : weekdays
        let firstMonday = startsOn.daysSince1970 - (startsOn.weekday - 1)
        // Within one turn of the rule each of its weekdays comes up.
        for day in from.daysSince1970..<from.daysSince1970 + 7 * (every + 1) {
            let week = (day - firstMonday) / 7
            if week.isMultiple(of: every), wanted.contains(LocalDate(daysSince1970: day).weekday) {
                return LocalDate(daysSince1970: day)
            }
        }
        return nil
    }

    private func nextMonthly(_ from: LocalDate) -> LocalDate? {
        let start = startsOn.civil
        let passed = (from.civil.year - start.year) * 12 + from.civil.month - start.month
        // This turn's day may be over, then it is the next turn's.
        for turn in 0...1 {
            let months = (passed + every - 1) / every * every + turn * every
            let month = start.month - 1 + months
            let day = Self.day(dayOfMonth ?? start.day, of: month % 12 + 1, in: start.year + month / 12)
            if let day, day >= from { return day }
        }
        return nil
    }

    private static func day(_ day: Int, of month: Int, in year: Int) -> LocalDate? {
        let last = stride(from: 31, through: 28, by: -1).lazy.compactMap {
            LocalDate(year: year, month: month, day: $0)
        }.first
        guard let last else { return nil }
        return day == -1 || day > last.civil.day ? last : LocalDate(year: year, month: month, day: day)
    }
}

extension LocalDate {
    /// 1 for Monday to 7.
    var weekday: Int {
        // 1970-01-01 was a Thursday.
        ((daysSince1970 + 3) % 7 + 7) % 7 + 1
    }
}
