import Testing
import Wire

@testable import Projects

/// The series of reports, held against what was worked out by hand.
@Suite struct SeriesTests {
    // Monday to the Friday after; a weekend lies between.
    private let monday = LocalDate("2026-03-02")!
    private func day(_ index: Int) -> LocalDate { monday.adding(index) }

    private func burn(
        _ steps: [BurnStep], known: Int = 11, status: SprintStatus = .closed, unit: WorkUnit = .points
    ) -> Burn {
        Burn(
            BurnFrame(
                sprintId: .zero, name: "Sprint", status: status, unit: unit, timeZone: "UTC",
                startsOn: monday,
                endsOn: day(11), workingDays: WorkingDays([1, 2, 3, 4, 5]), knownThrough: day(known)),
            steps)
    }

    private let planned = BurnStep(day: LocalDate("2026-02-27")!, planned: 1000)

    @Test func `work that is done burns down, and the scope stays`() {
        let series = burn([planned, BurnStep(day: day(1), done: 300), BurnStep(day: day(4), done: 700)])
        #expect(series.days.map(\.remaining) == [10, 7, 7, 7, 0, 0, 0, 0, 0, 0, 0, 0])
        #expect(series.days.allSatisfy { $0.scope == 10 })
        #expect(series.committed == 10)
    }

    @Test func `the ideal line rests on days off`() {
        #expect(burn([planned]).days.map(\.ideal) == [9, 8, 7, 6, 5, 5, 5, 4, 3, 2, 1, 0])
    }

    @Test func `what is added raises scope and rest from its day on, and no day before`() {
        let series = burn([planned, BurnStep(day: day(2), added: 500), BurnStep(day: day(3), done: 500)])
        #expect(series.days.prefix(5).map(\.scope) == [10, 10, 15, 15, 15])
        #expect(series.days.prefix(5).map(\.remaining) == [10, 10, 15, 10, 10])
        #expect(series.days[2].added == 5)
        #expect(series.days[0].added == 0, "what was planned before the start is no change")
    }

    @Test func `what is removed or cancelled lowers scope and rest, and is never done`() {
        let series = burn([planned, BurnStep(day: day(2), removed: 400)])
        #expect(series.days.prefix(4).map(\.scope) == [10, 10, 6, 6])
        #expect(series.days.prefix(4).map(\.done) == [0, 0, 0, 0])
        #expect(series.days[2].removed == 4)
    }

    @Test func `a task done, reopened and done again goes down, up and down`() {
        let series = burn([
            planned, BurnStep(day: day(1), done: 500), BurnStep(day: day(2), done: -500),
            BurnStep(day: day(3), done: 500),
        ])
        #expect(series.days.prefix(5).map(\.remaining) == [10, 5, 10, 5, 5])
    }

    @Test func `another estimate is a change of scope`() {
        let series = burn([planned, BurnStep(day: day(1), added: 300), BurnStep(day: day(2), removed: 100)])
        #expect(series.days.prefix(4).map(\.scope) == [10, 13, 12, 12])
    }

    @Test func `days to come are not known`() {
        let series = burn([planned, BurnStep(day: day(1), done: 300)], known: 2, status: .active)
        #expect(series.days.prefix(4).map(\.remaining) == [10, 7, 7, nil])
        #expect(series.days.count == 12)
    }

    @Test func `a sprint that runs over its end is shown to the day it is closed`() {
        let series = burn([planned], known: 14)
        #expect(series.days.count == 15)
        #expect(series.days.suffix(3).map(\.ideal) == [0, 0, 0])
    }

    @Test func `an empty sprint is a line at nothing`() {
        let series = burn([])
        #expect(series.days.allSatisfy { $0.remaining == 0 && $0.ideal == 0 && $0.scope == 0 })
        #expect(Burndown(series).chart.svg.contains("Sprint: burndown"))
    }

    @Test func `before its start a sprint is measured by what is in it`() {
        #expect(burn([planned], status: .planned).committed == 10)
    }

    @Test func `what is planned on the first day is no change of scope`() {
        let series = burn([BurnStep(day: monday, planned: 800, added: 200)])
        #expect(series.committed == 8)
        #expect(series.days[0].added == 2)
        #expect(series.days[0].scope == 10)
    }

    @Test func `minutes are told in hours`() {
        let series = burn([BurnStep(day: monday, planned: 90)], unit: .hours)
        #expect(series.days[0].scope == 1.5)
    }

    @Test func `flow adds up what came before its first day`() {
        let report = FlowReport(
            of: .zero, timeZone: "UTC", from: monday, to: day(2),
            [
                .init(day: day(-1), category: .backlog, change: 5),
                .init(day: day(1), category: .backlog, change: -2),
                .init(day: day(1), category: .started, change: 2),
                .init(day: day(2), category: .started, change: -1),
                .init(day: day(2), category: .completed, change: 1),
            ])
        #expect(report.days.map(\.backlog) == [5, 3, 3])
        #expect(report.days.map(\.started) == [0, 2, 1])
        #expect(report.days.map(\.completed) == [0, 0, 1])
    }

    @Test func `percentiles are values that were measured`() {
        let values = CycleTimeReport.Percentiles(of: (1...10).map(Double.init).shuffled())
        #expect(values == .init(p50: 5, p75: 8, p85: 9, p95: 10))
        #expect(CycleTimeReport.Percentiles(of: [3]) == .init(p50: 3, p75: 3, p85: 3, p95: 3))
        #expect(CycleTimeReport.Percentiles(of: []) == nil)
    }

    @Test func `a forecast of one task a day is certain`() {
        let forecast = Forecast(remaining: 7, throughput: [1, 1, 1], runs: 200, seed: 1, daysMax: 700)
        #expect(forecast.days(forShare: 50) == 7)
        #expect(forecast.days(forShare: 95) == 7)
        #expect(forecast.share(within: 6) == 0)
    }

    @Test func `the same seed gives the same forecast, and more certainty takes longer`() {
        let forecast = Forecast(remaining: 20, throughput: [0, 0, 1, 3], runs: 1000, seed: 42, daysMax: 700)
        #expect(
            forecast == Forecast(remaining: 20, throughput: [0, 0, 1, 3], runs: 1000, seed: 42, daysMax: 700))
        let (half, most) = (forecast.days(forShare: 50)!, forecast.days(forShare: 95)!)
        // One a day on average: twenty days or about it.
        #expect((16...24).contains(half))
        #expect(most > half)
    }

    @Test func `without a completion nothing is foretold, without work all is done`() {
        #expect(
            Forecast(remaining: 3, throughput: [0, 0], runs: 100, seed: 1, daysMax: 700).days(forShare: 50)
                == nil)
        #expect(
            Forecast(remaining: 0, throughput: [0], runs: 100, seed: 1, daysMax: 700).days(forShare: 95) == 0)
    }

    @Test func `weeks begin on Monday`() {
        let days = WorkingDays([1])
        #expect(days.contains(monday) && !days.contains(day(1)) && days.contains(day(7)))
        #expect(days.contains(LocalDate("1969-12-29")!))
        #expect(WorkingDays([6, 7]).count(from: monday, through: day(13)) == 4)
    }

    @Test func `late tasks fall into spans without gaps`() {
        #expect(OverdueReport.spans([0, 1, 2, 3, 7, 8, 30, 31, 400]).map(\.count) == [2, 2, 1, 1, 1, 2])
    }
}
