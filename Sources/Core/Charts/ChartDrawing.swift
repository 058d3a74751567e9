import Wire

/// Draws one chart: everything that comes from outside goes through `escaped`.
struct ChartDrawing {
    private let chart: Chart
    private var out = ""
    private let legendRows: [[LegendItem]]

    private struct LegendItem {
        let name: String
        let tone: ChartTone
        let isLine: Bool
        let isDashed: Bool
    }

    init(_ chart: Chart) {
        self.chart = chart
        legendRows = Self.rows(of: Self.legend(chart.layers))
    }

    private var top: Double { ChartMeasures.top + Double(legendRows.count) * ChartMeasures.legendRow }
    private var bottom: Double { ChartMeasures.height - ChartMeasures.bottom }
    private var left: Double { ChartMeasures.left }
    private var right: Double { ChartMeasures.width - ChartMeasures.right }

    private func x(_ value: Double) -> Double {
        left + (value - chart.horizontal.low) / (chart.horizontal.high - chart.horizontal.low)
            * (right - left)
    }

    private func y(_ value: Double) -> Double {
        bottom - (value - chart.vertical.low) / (chart.vertical.high - chart.vertical.low) * (bottom - top)
    }

    mutating func svg() -> String {
        let (width, height) = (Self.number(ChartMeasures.width), Self.number(ChartMeasures.height))
        out = """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width) \(height)" width="\(width)" height="\(height)" \
            role="img" aria-labelledby="chart-title chart-text"><title id="chart-title">\(Self.escaped(chart.title))</title>\
            <desc id="chart-text">\(Self.escaped(chart.description))</desc><style>\(ChartStyle.sheet)</style>\
            <rect class="ground" width="\(width)" height="\(height)"/>
            """
        text(chart.title, left: ChartMeasures.edge, 26, "name")
        drawLegend()
        drawPauses()
        drawAxes()
        if isEmpty {
            text(chart.emptyText, left: (left + right) / 2, (top + bottom) / 2, "quiet middle")
        } else {
            for layer in chart.layers { draw(layer) }
        }
        out += "</svg>\n"
        return out
    }

    private var isEmpty: Bool {
        chart.layers.allSatisfy { layer in
            switch layer {
            case .line(_, _, let points, _), .points(_, _, let points): points.isEmpty
            case .area(_, _, let bands): bands.isEmpty
            case .bars(let sets): sets.allSatisfy { $0.parts.allSatisfy(\.heights.isEmpty) }
            case .level, .moment, .pause: true
            }
        }
    }

    // MARK: ground

    private mutating func drawPauses() {
        for case .pause(let spans) in chart.layers {
            for span in spans {
                let from = max(x(span.lowerBound), left)
                let until = min(x(span.upperBound), right)
                if until > from { rectangle(from, top, until - from, bottom - top, "off") }
            }
        }
    }

    private mutating func drawAxes() {
        for tick in chart.vertical.ticks(atMost: 6) {
            path("M\(Self.number(left)) \(Self.number(y(tick.value)))H\(Self.number(right))", "grid")
            text(tick.text, left: left - 8, y(tick.value) + 4, "quiet end")
        }
        let ticks = chart.horizontal.ticks(atMost: chart.horizontal.ticksMost)
        for tick in ticks {
            text(
                Self.shortened(tick.text, to: chart.horizontal.room(among: ticks.count)), left: x(tick.value),
                bottom + 18,
                "quiet middle")
        }
        text(chart.vertical.label, left: ChartMeasures.edge, top - 10, "quiet start")
        text(chart.horizontal.label, left: right, bottom + 36, "quiet end")
    }

    // MARK: legend

    private static func legend(_ layers: [ChartLayer]) -> [LegendItem] {
        layers.flatMap { layer -> [LegendItem] in
            switch layer {
            case .line(let name, let tone, let points, let style):
                points.isEmpty
                    ? [] : [LegendItem(name: name, tone: tone, isLine: true, isDashed: style == .dashed)]
            case .area(let name, let tone, _), .points(let name, let tone, _):
                [LegendItem(name: name, tone: tone, isLine: false, isDashed: false)]
            case .bars(let sets):
                sets.flatMap(\.parts).map {
                    LegendItem(name: $0.name, tone: $0.tone, isLine: false, isDashed: false)
                }
            case .level, .moment, .pause: []
            }
        }
    }

    /// As many to a row as fit.
    private static func rows(of items: [LegendItem]) -> [[LegendItem]] {
        var rows: [[LegendItem]] = []
        var room = 0.0
        for item in items {
            let width = width(of: item)
            if rows.isEmpty || width > room {
                rows.append([])
                room = ChartMeasures.width - 2 * ChartMeasures.edge
            }
            rows[rows.count - 1].append(item)
            room -= width
        }
        return rows
    }

    private static func width(of item: LegendItem) -> Double {
        Double(item.name.count) * ChartMeasures.letterWidth + 42
    }

    private mutating func drawLegend() {
        for (row, items) in legendRows.enumerated() {
            var at = ChartMeasures.edge
            let middle = 46 + Double(row) * ChartMeasures.legendRow
            for item in items {
                if item.isLine {
                    path(
                        "M\(Self.number(at)) \(Self.number(middle))h18",
                        "line \(item.isDashed ? "dashed thin " : "")\(item.tone.cssClass)")
                } else {
                    rectangle(at + 3, middle - 6, 12, 12, item.tone.cssClass)
                }
                text(item.name, left: at + 24, middle + 4, "start")
                at += Self.width(of: item)
            }
        }
    }

    // MARK: layers

    private mutating func draw(_ layer: ChartLayer) {
        switch layer {
        case .line(_, let tone, let points, let style): drawLine(points, tone, style)
        case .area(_, let tone, let bands): drawArea(bands, tone)
        case .bars(let sets): drawBars(sets)
        case .points(_, let tone, let points):
            for point in points { dot(point, tone, radius: 4) }
        case .level(let name, let tone, let value):
            path(
                "M\(Self.number(left)) \(Self.number(y(value)))H\(Self.number(right))",
                "line thin dashed \(tone.cssClass)")
            text(name, left: right, y(value) - 5, "halo end")
        case .moment(let name, let value):
            path("M\(Self.number(x(value))) \(Self.number(bottom))V\(Self.number(top))", "now")
            let isAtEnd = x(value) > right - Double(name.count) * ChartMeasures.letterWidth - 8
            text(
                name, left: x(value) + (isAtEnd ? -4 : 4), bottom - 8,
                isAtEnd ? "halo quiet end" : "halo quiet start")
        case .pause: break
        }
    }

    private mutating func drawLine(_ points: [ChartPoint], _ tone: ChartTone, _ style: ChartLayer.LineStyle) {
        guard let first = points.first else { return }
        var route = "M\(place(first))"
        for point in points.dropFirst() {
            route +=
                style == .stepped
                ? "H\(Self.number(x(point.x)))V\(Self.number(y(point.y)))" : "L\(place(point))"
        }
        path(route, "line \(style == .dashed ? "dashed thin " : "")\(tone.cssClass)")
        let isRoomy = points.count <= ChartMeasures.dottedPointsMax
        guard style == .solid, isRoomy || points.count == 1 else { return }
        for point in points { dot(point, tone, radius: 3) }
    }

    private mutating func drawArea(_ bands: [ChartBand], _ tone: ChartTone) {
        guard bands.count > 1 else { return }
        let upper = bands.map { "\(Self.number(x($0.x))) \(Self.number(y($0.high)))" }
        let lower = bands.reversed().map { "\(Self.number(x($0.x))) \(Self.number(y($0.low)))" }
        path("M\((upper + lower).joined(separator: "L"))Z", "area \(tone.cssClass)")
    }

    private mutating func drawBars(_ sets: [ChartBars]) {
        let place = x(1) - x(0)
        let width = min(place * 0.7 / Double(max(sets.count, 1)), ChartMeasures.barWidthMax)
        for (index, set) in sets.enumerated() {
            let count = set.parts.map(\.heights.count).max() ?? 0
            for bar in 0..<count {
                var base = 0.0
                let start = x(Double(bar)) + (Double(index) - Double(sets.count) / 2) * width
                for part in set.parts where bar < part.heights.count && part.heights[bar] > 0 {
                    let height = part.heights[bar]
                    let box = (y(base + height), y(base))
                    rectangle(
                        start + 1, box.0, max(width - 2, 1), box.1 - box.0, part.tone.cssClass,
                        note: "\(part.name): \(ChartAxis.text(height))")
                    base += height
                }
            }
        }
    }

    // MARK: strokes

    private func place(_ point: ChartPoint) -> String {
        "\(Self.number(x(point.x))) \(Self.number(y(point.y)))"
    }

    private mutating func path(_ route: String, _ classes: String) {
        out += "<path class=\"\(classes)\" d=\"\(route)\"/>"
    }

    private mutating func rectangle(
        _ x: Double, _ y: Double, _ width: Double, _ height: Double, _ classes: String, note: String? = nil
    ) {
        out += """
            <rect class="\(classes)" x="\(Self.number(x))" y="\(Self.number(y))" width="\(Self.number(width))" \
            height="\(Self.number(height))"
            """
        out += note.map { "><title>\(Self.escaped($0))</title></rect>" } ?? "/>"
    }

    private mutating func dot(_ point: ChartPoint, _ tone: ChartTone, radius: Double) {
        out += """
            <circle class="dot \(tone.cssClass)" cx="\(Self.number(x(point.x)))" cy="\(Self.number(y(point.y)))" \
            r="\(Self.number(radius))"
            """
        out += point.note.map { "><title>\(Self.escaped($0))</title></circle>" } ?? "/>"
    }

    private mutating func text(_ text: String, left: Double, _ y: Double, _ classes: String) {
        guard !text.isEmpty else { return }
        out +=
            "<text class=\"\(classes)\" x=\"\(Self.number(left))\" y=\"\(Self.number(y))\">\(Self.escaped(text))</text>"
    }

    private static func shortened(_ text: String, to room: Double) -> String {
        let most = max(3, Int(room / ChartMeasures.letterWidth))
        return text.count <= most ? text : "\(text.prefix(most - 1))…"
    }

    /// Markup made harmless, and what no XML document may hold left out.
    private static func escaped(_ text: String) -> String {
        let allowed = text.unicodeScalars.filter { scalar in
            scalar.value >= 0x20 && scalar.value != 0xFFFE && scalar.value != 0xFFFF || scalar == "\n"
                || scalar == "\t"
        }
        return String(String.UnicodeScalarView(allowed)).escapedAsMarkup
    }

    /// One decimal is finer than any screen.
    private static func number(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        let sign = tenths < 0 ? "-" : ""
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(sign)\(abs(tenths) / 10).\(abs(tenths) % 10)"
    }
}

/// The sizes of a chart, in the units of its picture.
enum ChartMeasures {
    static let width = 760.0
    static let height = 380.0
    static let edge = 16.0
    /// Room for the numbers at the left.
    static let left = 56.0
    static let right = 24.0
    /// Room above the chart for its title and the name of the upright axis; the legend comes on top of it.
    static let top = 58.0
    static let bottom = 52.0
    static let legendRow = 20.0
    /// What a letter takes on average, rather too much than too little.
    static let letterWidth = 6.8
    static let barWidthMax = 46.0
    /// More dots than this hide the line they stand on.
    static let dottedPointsMax = 40
}

extension ChartAxis {
    /// How many texts fit side by side.
    var ticksMost: Int {
        switch scale {
        case .number, .days: 12
        case .names(let names): min(names.count, 16)
        }
    }

    func room(among ticks: Int) -> Double {
        (ChartMeasures.width - ChartMeasures.left - ChartMeasures.right) / Double(max(ticks, 1)) - 6
    }
}
