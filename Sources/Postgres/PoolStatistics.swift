import Synchronization

/// Counters of one loop's connections: written by that loop alone, read by anyone.
public final class PoolStatistics: Sendable {
    private let openConnections = Atomic<Int>(0)
    private let leased = Atomic<Int>(0)
    private let waits = Atomic<Int>(0)
    private let refusals = Atomic<Int>(0)
    private let requests = Atomic<Int>(0)
    private let failures = Atomic<Int>(0)
    private let retries = Atomic<Int>(0)
    private let diversions = Atomic<Int>(0)
    private let nanoseconds = Atomic<Int>(0)
    private let buckets: [Bucket] = (0...DatabaseStatistics.bucketSeconds.count).map { _ in Bucket() }

    private final class Bucket: Sendable { let count = Atomic<Int>(0) }

    /// One writer: a load and a store need no bus lock.
    @inline(__always) private func add(_ change: Int, to counter: borrowing Atomic<Int>) {
        counter.store(counter.load(ordering: .relaxed) &+ change, ordering: .relaxed)
    }

    func opened() { add(1, to: openConnections) }
    func closed() { add(-1, to: openConnections) }
    func tookLease() { add(1, to: leased) }
    func gaveLease() { add(-1, to: leased) }
    func waited() { add(1, to: waits) }
    func refused() { add(1, to: refusals) }
    func diverted() { add(1, to: diversions) }
    func retried() { add(1, to: retries) }

    func answered(after elapsed: UInt64, isFailure: Bool) {
        add(1, to: requests)
        if isFailure { add(1, to: failures) }
        add(Int(truncatingIfNeeded: elapsed), to: nanoseconds)
        var index = 0
        while index < DatabaseStatistics.bucketNanoseconds.count,
            elapsed > DatabaseStatistics.bucketNanoseconds[index]
        {
            index += 1
        }
        add(1, to: buckets[index].count)
    }

    func add(to sum: inout DatabaseStatistics) {
        sum.openConnections += openConnections.load(ordering: .relaxed)
        sum.leasedConnections += leased.load(ordering: .relaxed)
        sum.leaseWaits += waits.load(ordering: .relaxed)
        sum.refusals += refusals.load(ordering: .relaxed)
        sum.requests += requests.load(ordering: .relaxed)
        sum.failures += failures.load(ordering: .relaxed)
        sum.transactionRetries += retries.load(ordering: .relaxed)
        sum.diversions += diversions.load(ordering: .relaxed)
        sum.secondsTotal += Double(nanoseconds.load(ordering: .relaxed)) / 1e9
        for (index, bucket) in buckets.enumerated() {
            sum.latencyCounts[index] += bucket.count.load(ordering: .relaxed)
        }
    }
}

/// What a database has done so far and what it holds now.
public struct DatabaseStatistics: Sendable {
    public var openConnections = 0
    /// Connections that transactions and reports hold at this moment.
    public var leasedConnections = 0
    /// How often one had to wait for such a connection, and how often there was none in time.
    public var leaseWaits = 0
    public var refusals = 0
    /// Round trips with an answer, good or bad.
    public var requests = 0
    public var failures = 0
    public var transactionRetries = 0
    /// Requests that met a lock on a shared connection and went on on one of their own.
    public var diversions = 0
    public var secondsTotal = 0.0
    /// Requests by the time they took: one count for each of `bucketSeconds`, and one for what took longer.
    public var latencyCounts = Array(repeating: 0, count: bucketSeconds.count + 1)

    public static let bucketSeconds = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]
    static let bucketNanoseconds = bucketSeconds.map { UInt64($0 * 1e9) }
}
