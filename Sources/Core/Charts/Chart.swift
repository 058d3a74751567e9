import Wire

/// A chart as a picture: what it shows is told by its parts, `svg` draws it.
///
/// The picture reads well on light and on dark ground, is told to those who cannot see it by its title and description,
/// and loads nothing.
public struct Chart: Sendable {
    public var title: String
    /// What can be read off the chart, in a sentence: for those who cannot see it.
    public var description: String
    public var horizontal: ChartAxis
    public var vertical: ChartAxis
    public var layers: [ChartLayer]
    /// Said in the middle when there is nothing to draw.
    public var emptyText: String

    public init(
        _ title: String, description: String, horizontal: ChartAxis, vertical: ChartAxis,
        layers: [ChartLayer] = [],
        emptyText: String = "Nothing to show yet"
    ) {
        self.title = title
        self.description = description
        self.horizontal = horizontal
        self.vertical = vertical
        self.layers = layers
        self.emptyText = emptyText
    }

    public var svg: String {
        var drawing = ChartDrawing(self)
        return drawing.svg()
    }
}

/// A place in a chart, in the numbers of its axes.
public struct ChartPoint: Sendable, Equatable {
    public var x: Double
    public var y: Double
    /// Told when one points at it.
    public var note: String?

    public init(_ x: Double, _ y: Double, note: String? = nil) {
        self.x = x
        self.y = y
        self.note = note
    }
}

/// The colours of a chart by what they stand for, the same in every chart; each differs from its neighbours also for
/// those who see few colours.
public enum ChartTone: String, CaseIterable, Sendable {
    case done, open, scope, ideal, started, waiting, stopped, warning

    var cssClass: String { "t-\(rawValue)" }
}

/// One thing drawn into a chart; those that come later lie above.
public enum ChartLayer: Sendable {
    case line(String, ChartTone, [ChartPoint], LineStyle = .solid)
    /// Between the two heights at each place.
    case area(String, ChartTone, [ChartBand])
    /// Bars that stand at whole numbers of the horizontal axis, side by side with those of the other sets.
    case bars([ChartBars])
    case points(String, ChartTone, [ChartPoint])
    /// A level across the chart, with its name at the end.
    case level(String, ChartTone, Double)
    /// A moment of the horizontal axis, with its name beside it.
    case moment(String, Double)
    /// Spans of the horizontal axis that do not count: days off.
    case pause([ClosedRange<Double>])

    public enum LineStyle: Sendable { case solid, dashed, stepped }
}

public struct ChartBand: Sendable, Equatable {
    public var x: Double
    public var low: Double
    public var high: Double

    public init(_ x: Double, low: Double, high: Double) {
        self.x = x
        self.low = low
        self.high = high
    }
}

/// One set of bars: a height for each whole number from 0 on, each part of it stacked upon the one before.
public struct ChartBars: Sendable {
    public struct Part: Sendable {
        public var name: String
        public var tone: ChartTone
        public var heights: [Double]

        public init(_ name: String, _ tone: ChartTone, _ heights: [Double]) {
            self.name = name
            self.tone = tone
            self.heights = heights
        }
    }

    public var parts: [Part]

    public init(_ parts: [Part]) { self.parts = parts }
}
