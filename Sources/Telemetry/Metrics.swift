import Loop
import Synchronization
import Wire

/// The figures of the process, printed in the text format of Prometheus.
///
/// Counters and histograms are kept per loop and cost a few instructions; what others keep anyway (connections,
/// queue lengths) is asked for when it is read.
public final class Metrics: Sendable {
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    public enum Kind: String, Sendable { case counter, gauge, histogram }

    /// One line of a metric that is asked for: the values of its labels and its number.
    public typealias Sample = (labels: [String], value: Double)

    private struct Family: Sendable {
        let name: String
        let help: String
        let kind: Kind
        let write: @Sendable (ByteWriter) -> Void
    }

    let loopCount: Int
    private let families = Mutex<[Family]>([])

    public init(loops count: Int = LoopGroup.cores) { loopCount = count }

    public func counter(_ name: String, _ help: String) -> Counter {
        let counter = Counter(loopCount: loopCount)
        add(name, help, .counter) { $0.writeSample(name, [], counter.value) }
        return counter
    }

    public func counters(_ name: String, _ help: String, labels: [String]) -> Counters {
        let counters = Counters(loopCount: loopCount, labelCount: labels.count)
        add(name, help, .counter) { out in
            for (values, counter) in counters.all {
                out.writeSample(name, pairs(labels, values), counter.value)
            }
        }
        return counters
    }

    public func histogram(
        _ name: String, _ help: String, bounds: [Duration] = Histogram.requestBounds
    ) -> Histogram {
        let histogram = Histogram(loopCount: loopCount, bounds: bounds)
        add(name, help, .histogram) { $0.writeHistogram(name, [], histogram) }
        return histogram
    }

    /// A number somebody else keeps, asked for at each reading.
    public func observe(
        _ kind: Kind, _ name: String, _ help: String, _ read: @escaping @Sendable () -> Double
    ) {
        observe(kind, name, help, labels: []) { [([], read())] }
    }

    public func observe(
        _ kind: Kind, _ name: String, _ help: String, labels: [String],
        _ read: @escaping @Sendable () -> [Sample]
    ) {
        precondition(kind != .histogram, "a histogram cannot be asked for")
        add(name, help, kind) { out in
            for sample in read() { out.writeSample(name, pairs(labels, sample.labels), sample.value) }
        }
    }

    /// Prints everything, in the order of the names.
    public func write(into out: ByteWriter) {
        for family in families.withLock({ $0 }) {
            out.write(
                "# HELP \(family.name) \(family.help.replacing("\\", with: "\\\\").replacing("\n", with: "\\n"))\n"
            )
            out.write("# TYPE \(family.name) \(family.kind.rawValue)\n")
            family.write(out)
        }
    }

    /// A name that breaks the rules of Prometheus, or one given twice, is a mistake in the wiring and stops the start.
    func add(_ name: String, _ help: String, _ kind: Kind, _ write: @escaping @Sendable (ByteWriter) -> Void)
    {
        precondition(
            !name.isEmpty
                && name.utf8.allSatisfy {
                    $0 == UInt8(ascii: "_") || (97...122).contains($0) || (48...57).contains($0)
                },
            "\(name) is no name for a metric")
        precondition(kind != .counter || name.hasSuffix("_total"), "the counter \(name) must end in _total")
        families.withLock { families in
            let place = families.firstIndex { $0.name >= name } ?? families.count
            precondition(
                place == families.count || families[place].name != name, "two metrics are named \(name)")
            families.insert(Family(name: name, help: help, kind: kind, write: write), at: place)
        }
    }
}

/// Counters of one name that differ by their labels.
public final class Counters: Sendable {
    private let loopCount: Int
    private let labelCount: Int
    private let byValues = Mutex<[[String]: Counter]>([:])

    init(loopCount: Int, labelCount: Int) {
        self.loopCount = loopCount
        self.labelCount = labelCount
    }

    /// Takes a lock: where it is hot, keep what it returns. Label values must come from a small fixed set.
    public func with(_ values: String...) -> Counter {
        precondition(values.count == labelCount, "each label needs its value")
        return byValues.withLock { byValues in
            if let counter = byValues[values] { return counter }
            let counter = Counter(loopCount: loopCount)
            byValues[values] = counter
            return counter
        }
    }

    var all: [(key: [String], value: Counter)] {
        byValues.withLock { $0 }.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    }
}

func pairs(_ names: [String], _ values: [String]) -> [(String, String)] { Array(zip(names, values)) }

extension ByteWriter {
    func writeSample(_ name: String, _ labels: [(String, String)], _ value: UInt64) {
        writeSeries(name, labels)
        write(value)
        write("\n")
    }

    func writeSample(_ name: String, _ labels: [(String, String)], _ value: Double) {
        writeSeries(name, labels)
        writeDouble(value)
        write("\n")
    }

    func writeHistogram(_ name: String, _ labels: [(String, String)], _ histogram: Histogram) {
        let counts = histogram.counts
        var total: UInt64 = 0
        for (index, count) in counts.enumerated() {
            total &+= count
            let bound = index < histogram.bounds.count ? seconds(histogram.bounds[index]).description : "+Inf"
            writeSample(name + "_bucket", labels + [("le", bound)], total)
        }
        writeSample(name + "_sum", labels, seconds(histogram.sumNanoseconds))
        // The count is the sum of the very buckets printed, or a scrape in mid-flight would contradict itself.
        writeSample(name + "_count", labels, total)
    }

    private func seconds(_ nanoseconds: UInt64) -> Double { Double(nanoseconds) / 1_000_000_000 }

    private func writeSeries(_ name: String, _ labels: [(String, String)]) {
        write(name)
        if !labels.isEmpty {
            for (index, (label, value)) in labels.enumerated() {
                write(index == 0 ? "{" : ",")
                write(label)
                write("=\"")
                write(
                    value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing(
                        "\n", with: "\\n"))
                write("\"")
            }
            write("}")
        }
        write(" ")
    }

    private func writeDouble(_ value: Double) {
        if value.isNaN {
            write("NaN")
        } else if value.isInfinite {
            write(value < 0 ? "-Inf" : "+Inf")
        } else if let whole = Int64(exactly: value) {
            write(whole)
        } else {
            write(value.description)
        }
    }
}
