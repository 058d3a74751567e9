import Wire

/// What the numbers along one side of a chart stand for.
public struct ChartAxis: Sendable {
    enum Scale: Sendable {
        case number
        /// Numbers are days since 1970.
        case days
        /// Numbers are places in a list.
        case names([String])
    }

    let scale: Scale
    let low: Double
    let high: Double
    let label: String
    /// The least there may be between two numbers along the axis.
    var stepLeast = 0.0

    /// From 0 up to a round number above the highest value.
    public static func numbers(_ label: String, _ values: some Sequence<Double>) -> ChartAxis {
        numbers(label, values, stepLeast: 0)
    }

    /// The same for what is counted: there are no halves.
    public static func counts(_ label: String, _ values: some Sequence<Double>) -> ChartAxis {
        numbers(label, values, stepLeast: 1)
    }

    private static func numbers(_ label: String, _ values: some Sequence<Double>, stepLeast: Double)
        -> ChartAxis
    {
        let most = max(values.filter(\.isFinite).max() ?? 0, 1)
        let step = max(step(for: most), stepLeast)
        return ChartAxis(
            scale: .number, low: 0, high: (most / step).rounded(.up) * step, label: label,
            stepLeast: stepLeast)
    }

    /// From the beginning of the first day to the end of the last; the name of a day stands at its middle.
    public static func days(_ range: ClosedRange<LocalDate>, _ label: String = "") -> ChartAxis {
        ChartAxis(
            scale: .days, low: beginning(of: range.lowerBound), high: end(of: range.upperBound), label: label)
    }

    /// One place for each name, numbered from 0.
    public static func names(_ names: [String], _ label: String = "") -> ChartAxis {
        ChartAxis(scale: .names(names), low: -0.5, high: max(Double(names.count), 1) - 0.5, label: label)
    }

    /// The numbers that are written along the axis with their texts, so many at the most.
    func ticks(atMost most: Int) -> [(value: Double, text: String)] {
        switch scale {
        case .number:
            return stride(from: 0, through: ((high - low) / step).rounded(), by: 1).map { index in
                let value = low + index * step
                return (value, Self.text(value))
            }
        case .days:
            let span = Int(high - low)
            let step = Self.daySteps.first { span / $0 <= most } ?? (span / most + 1)
            return stride(from: Int(low), to: Int(high), by: step).map { (Double($0) + 0.5, Self.day($0)) }
        case .names(let names):
            let step = max(1, (names.count + most - 1) / max(most, 1))
            return stride(from: 0, to: names.count, by: step).map { (Double($0), names[$0]) }
        }
    }

    private static let daySteps = [1, 2, 7, 14, 28, 42, 56, 91, 182, 364]

    private var step: Double { max(Self.step(for: high - low), stepLeast) }

    /// The round step (1, 2 or 5 times a power of ten) that cuts the span into at most six.
    private static func step(for span: Double) -> Double {
        var power = 1.0
        while power * 10 <= span { power *= 10 }
        while power > span { power /= 10 }
        for factor in [0.2, 0.5, 1, 2, 5] where span / (power * factor) <= 6 { return power * factor }
        return power * 2
    }

    /// `4 Mar`
    static func day(_ daysSince1970: Int) -> String {
        let civil = LocalDate(daysSince1970: daysSince1970).civil
        return "\(civil.day) \(months[civil.month - 1])"
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// At most two decimals and no idle zeros: `12`, `0.5`, `3.75`.
    public static func text(_ value: Double) -> String {
        let hundredths = Int((abs(value) * 100).rounded())
        let sign = value < 0 && hundredths > 0 ? "-" : ""
        let (whole, rest) = (hundredths / 100, hundredths % 100)
        if rest == 0 { return "\(sign)\(whole)" }
        return rest % 10 == 0
            ? "\(sign)\(whole).\(rest / 10)" : "\(sign)\(whole).\(rest < 10 ? "0" : "")\(rest)"
    }
}

/// Places on an axis of days.
extension ChartAxis {
    public static func beginning(of day: LocalDate) -> Double { Double(day.daysSince1970) }
    public static func end(of day: LocalDate) -> Double { Double(day.daysSince1970 + 1) }
    public static func span(of day: LocalDate) -> ClosedRange<Double> { beginning(of: day)...end(of: day) }
}
