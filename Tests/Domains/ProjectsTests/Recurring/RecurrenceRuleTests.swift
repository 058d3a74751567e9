import Testing
import Wire

@testable import Projects

@Suite struct RecurrenceRuleTests {
    private func days(_ rule: RecurrenceRule, _ count: Int, after: String? = nil) -> [String] {
        var found: [String] = []
        var day = after.flatMap { LocalDate($0) }
        while found.count < count, let next = rule.next(after: day) {
            found.append(next.description)
            day = next
        }
        return found
    }

    @Test func `every third day is counted from the start`() {
        let rule = RecurrenceRule(frequency: .daily, every: 3, startsOn: LocalDate("2028-02-27")!)
        #expect(days(rule, 3) == ["2028-02-27", "2028-03-01", "2028-03-04"])
        #expect(days(rule, 1, after: "2028-03-02") == ["2028-03-04"])
    }

    @Test func `every second week has its weekdays from the start on`() {
        // The start is a Wednesday: the Monday of its week is over.
        let rule = RecurrenceRule(
            frequency: .weekly, every: 2, weekdays: [1, 5], startsOn: LocalDate("2026-11-25")!)
        #expect(days(rule, 4) == ["2026-11-27", "2026-12-07", "2026-12-11", "2026-12-21"])
        let plain = RecurrenceRule(frequency: .weekly, startsOn: LocalDate("2026-11-25")!)
        #expect(days(plain, 2) == ["2026-11-25", "2026-12-02"])
    }

    @Test func `the thirty-first is the last day of shorter months`() {
        let rule = RecurrenceRule(frequency: .monthly, dayOfMonth: 31, startsOn: LocalDate("2028-01-15")!)
        #expect(days(rule, 4) == ["2028-01-31", "2028-02-29", "2028-03-31", "2028-04-30"])
        let last = RecurrenceRule(
            frequency: .monthly, every: 3, dayOfMonth: -1, startsOn: LocalDate("2027-11-10")!)
        #expect(days(last, 3) == ["2027-11-30", "2028-02-29", "2028-05-31"])
    }

    @Test func `a day of the month that is over at the start waits for the next turn`() {
        let rule = RecurrenceRule(
            frequency: .monthly, every: 2, dayOfMonth: 5, startsOn: LocalDate("2026-11-10")!)
        #expect(days(rule, 2) == ["2027-01-05", "2027-03-05"])
    }

    @Test func `nothing comes after the end`() {
        let rule = RecurrenceRule(
            frequency: .daily, startsOn: LocalDate("2026-12-30")!, endsOn: LocalDate("2026-12-31"))
        #expect(days(rule, 9) == ["2026-12-30", "2026-12-31"])
    }

    @Test func `what was missed is made up for by its last day alone`() {
        let rule = RecurrenceRule(frequency: .daily, startsOn: LocalDate("2026-11-01")!)
        let clock = LocalClock(day: LocalDate("2026-11-24")!, time: "08:00")
        #expect(
            rule.latest(from: LocalDate("2026-11-20")!, at: "09:00", by: clock) == LocalDate("2026-11-23"))
        #expect(
            rule.latest(from: LocalDate("2026-11-20")!, at: "07:00", by: clock) == LocalDate("2026-11-24"))
        #expect(rule.next(at: "09:00", from: clock) == LocalDate("2026-11-24"))
        #expect(rule.next(at: "08:00", from: clock) == LocalDate("2026-11-25"))
    }
}
