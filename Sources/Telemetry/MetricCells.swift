import Loop
import Synchronization

/// Numbers that every loop counts in a row of its own, so that counting takes no lock and no shared cache line;
/// reading adds the rows up. The last row is for everybody else.
// @unchecked Sendable: the cells are atomic, the pointer never changes.
final class MetricCells: @unchecked Sendable {
    private let cells: UnsafeMutablePointer<Atomic<UInt64>>
    private let rows: Int
    private let stride: Int
    private static let wordsPerCacheLine = 8

    init(loopCount: Int, words: Int) {
        rows = loopCount + 1
        stride = (words + Self.wordsPerCacheLine - 1) / Self.wordsPerCacheLine * Self.wordsPerCacheLine
        cells = .allocate(capacity: rows * stride)
        for index in 0..<rows * stride { (cells + index).initialize(to: Atomic(0)) }
    }

    deinit {
        cells.deinitialize(count: rows * stride)
        cells.deallocate()
    }

    @inline(__always) func add(_ amount: UInt64, word: Int, on loop: EventLoop?) {
        if let loop, loop.index < rows - 1 {
            // The loop's thread is the only one that writes its row: a load and a store are enough.
            let cell = cells + (loop.index * stride + word)
            cell.pointee.store(cell.pointee.load(ordering: .relaxed) &+ amount, ordering: .relaxed)
        } else {
            (cells + ((rows - 1) * stride + word)).pointee.wrappingAdd(amount, ordering: .relaxed)
        }
    }

    func sum(word: Int) -> UInt64 {
        (0..<rows).reduce(0) { $0 &+ (cells + ($1 * stride + word)).pointee.load(ordering: .relaxed) }
    }
}

/// A number that only grows.
public final class Counter: Sendable {
    private let cells: MetricCells

    init(loopCount: Int) { cells = MetricCells(loopCount: loopCount, words: 1) }

    /// `loop` is the loop whose thread this is; nil on any other thread.
    public func add(_ amount: UInt64 = 1, on loop: EventLoop? = .current) {
        cells.add(amount, word: 0, on: loop)
    }

    public var value: UInt64 { cells.sum(word: 0) }
}

/// How long things took, counted in buckets.
public final class Histogram: Sendable {
    /// Upper bounds in nanoseconds.
    let bounds: [UInt64]
    private let cells: MetricCells

    /// From a quarter of a millisecond to ten seconds: what lies between a cached answer and a deadline.
    public static let requestBounds: [Duration] = [
        .microseconds(250), .microseconds(500), .milliseconds(1), .microseconds(2500), .milliseconds(5),
        .milliseconds(10), .milliseconds(25), .milliseconds(50), .milliseconds(100), .milliseconds(250),
        .milliseconds(500), .seconds(1), .milliseconds(2500), .seconds(5), .seconds(10),
    ]

    init(loopCount: Int, bounds: [Duration]) {
        self.bounds = bounds.map {
            UInt64($0.components.seconds) * 1_000_000_000 + UInt64($0.components.attoseconds) / 1_000_000_000
        }
        cells = MetricCells(loopCount: loopCount, words: bounds.count + 2)
    }

    public func record(nanoseconds: UInt64, on loop: EventLoop? = .current) {
        var bucket = 0
        while bucket < bounds.count, nanoseconds > bounds[bucket] { bucket += 1 }
        cells.add(1, word: bucket, on: loop)
        cells.add(nanoseconds, word: bounds.count + 1, on: loop)
    }

    /// The counts of the buckets as they are, not yet summed up; the last one has no upper bound.
    var counts: [UInt64] { (0...bounds.count).map { cells.sum(word: $0) } }
    var sumNanoseconds: UInt64 { cells.sum(word: bounds.count + 1) }
    public var count: UInt64 { counts.reduce(0, &+) }
}
