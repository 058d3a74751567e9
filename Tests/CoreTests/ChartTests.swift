import Glibc
import Testing
import Wire

@testable import Core

/// What a chart's picture says, and that nothing in it can be taken for markup.
@Suite struct ChartTests {
    private let days = LocalDate("2026-03-02")!...LocalDate("2026-03-13")!

    private func day(_ index: Int) -> Double { Double(days.lowerBound.daysSince1970 + index) }

    @Test func `text from outside stays text`() {
        let chart = Chart(
            "</title><script>alert(1)</script>", description: "\"&\u{1}<", horizontal: .names(["<b>"]),
            vertical: .numbers("<i>", [1]),
            layers: [
                .bars([ChartBars([.init("<u>", .done, [1])])]),
                .points("<s>", .open, [ChartPoint(0, 1, note: "<em>")]),
            ])
        let svg = chart.svg
        for markup in ["<script", "<b>", "<i>", "<u>", "<s>", "<em>", "\u{1}"] {
            #expect(!svg.contains(markup))
        }
        #expect(svg.contains("&lt;/title&gt;&lt;script&gt;"))
        #expect(svg.contains("<desc id=\"chart-text\">&quot;&amp;&lt;</desc>"))
    }

    @Test func `the style sheet is the one that the policy allows, and there is no other style`() {
        let svg = Chart(
            "Empty", description: "", horizontal: .days(days), vertical: .numbers("points", [])
        ).svg
        #expect(svg.contains("<style>\(ChartStyle.sheet)</style>"))
        #expect(!svg.contains("style=\""))
        #expect(ChartStyle.securityPolicy.contains("style-src 'sha256-"))
        #expect(svg.contains("Nothing to show yet"))
    }

    @Test(
        arguments: [
            (0, ["0", "0.2", "0.4", "0.6", "0.8", "1"]), (7, ["0", "2", "4", "6", "8"]),
            (100, ["0", "20", "40", "60", "80", "100"]), (2.5, ["0", "0.5", "1", "1.5", "2", "2.5"]),
            (1234, ["0", "500", "1000", "1500"]),
        ] as [(Double, [String])])
    func `numbers along an axis are round`(most: Double, texts: [String]) {
        #expect(ChartAxis.numbers("", [most]).ticks(atMost: 6).map(\.text) == texts)
    }

    @Test func `what is counted has no halves`() {
        #expect(ChartAxis.counts("", [2]).ticks(atMost: 6).map(\.text) == ["0", "1", "2"])
        #expect(ChartAxis.counts("", []).ticks(atMost: 6).map(\.text) == ["0", "1"])
    }

    @Test func `days along an axis are as many as fit`() {
        #expect(ChartAxis.days(days).ticks(atMost: 12).map(\.text).first == "2 Mar")
        let year = ChartAxis.days(LocalDate("2026-01-01")!...LocalDate("2026-12-31")!)
        let ticks = year.ticks(atMost: 12)
        #expect(ticks.count <= 12 && ticks.count > 6)
    }

    @Test func `a line goes from place to place in whole and tenth units`() {
        let svg = Chart(
            "One", description: "", horizontal: .days(days), vertical: .numbers("", [10]),
            layers: [.line("left", .open, [ChartPoint(day(0), 10), ChartPoint(day(12), 0)])]
        ).svg
        #expect(svg.contains("<path class=\"line t-open\" d=\"M56 78L736 328\"/>"))
    }

    /// The pictures to look at: `CHART_FOLDER=/tmp/charts swift test --filter ChartTests`.
    @Test(.enabled(if: getenv("CHART_FOLDER") != nil))
    func `every kind of layer is drawn`() throws {
        let folder = String(cString: try #require(getenv("CHART_FOLDER")))
        for (name, chart) in [
            ("burndown", burndown), ("flow", flow), ("velocity", velocity), ("scatter", scatter),
            ("empty", empty),
        ] {
            let file = try #require(fopen("\(folder)/\(name).svg", "w"))
            fputs(chart.svg, file)
            fclose(file)
        }
    }

    private var burndown: Chart {
        Chart(
            "Sprint 12: burndown", description: "", horizontal: .days(days),
            vertical: .numbers("points", [34]),
            layers: [
                .pause([day(5)...day(7)]),
                .line(
                    "Ideal", .ideal, (0...12).map { ChartPoint(day($0), 30 * (1 - Double($0) / 12)) }, .dashed
                ),
                .line(
                    "Scope", .scope,
                    [30, 30, 33, 33, 33, 33, 34].enumerated().map { ChartPoint(day($0.offset), $0.element) },
                    .stepped),
                .line(
                    "Remaining", .open,
                    [30, 28, 29, 24, 20, 20, 18.5].enumerated().map {
                        ChartPoint(day($0.offset), $0.element, note: "\($0.element)")
                    }),
                .moment("Today", day(6)),
            ])
    }

    private var flow: Chart {
        let counts: [(ChartTone, String, (Int) -> Double)] = [
            (.done, "Done", { Double($0) * 2.5 }), (.started, "In progress", { _ in 6 }),
            (.open, "To do", { 14 - Double($0) * 0.4 }), (.waiting, "Backlog", { 10 + Double($0) * 0.3 }),
            (.stopped, "Cancelled", { Double($0) / 8 }),
        ]
        var base = [Double](repeating: 0, count: 30)
        let layers = counts.map { tone, name, height in
            let bands = (0..<30).map { index -> ChartBand in
                defer { base[index] += height(index) }
                return ChartBand(day(index), low: base[index], high: base[index] + height(index))
            }
            return ChartLayer.area(name, tone, bands)
        }
        return Chart(
            "Cumulative flow", description: "", horizontal: .days(days.lowerBound...LocalDate("2026-03-31")!),
            vertical: .numbers("tasks", base), layers: layers)
    }

    private var velocity: Chart {
        Chart(
            "Velocity", description: "",
            horizontal: .names((1...8).map { "Sprint \($0) with a rather long name" }),
            vertical: .numbers("points", [42]),
            layers: [
                .bars([
                    ChartBars([.init("Committed", .ideal, [30, 28, 34, 40, 42, 31, 30, 33])]),
                    ChartBars([.init("Done", .done, [21, 28, 30, 36, 38, 31, 26, 33])]),
                ]), .level("Mean 30.4", .warning, 30.4),
            ])
    }

    private var scatter: Chart {
        let points = (0..<120).map { index -> ChartPoint in
            let took = Double((index * 37) % 97) / 10 + Double(index % 13)
            return ChartPoint(day(0) + Double(index % 60) * 1.5, took, note: "WEB-\(index)")
        }
        return Chart(
            "Cycle time", description: "",
            horizontal: .days(days.lowerBound...LocalDate("2026-05-31")!, "completed on"),
            vertical: .numbers("days", points.map(\.y)),
            layers: [
                .points("Task", .open, points), .level("50 %: 8.2 days", .done, 8.2),
                .level("85 %: 15 days", .warning, 15),
            ])
    }

    private var empty: Chart {
        Chart(
            "Throughput", description: "", horizontal: .days(days), vertical: .numbers("tasks", []),
            layers: [])
    }
}
