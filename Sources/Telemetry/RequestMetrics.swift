import Loop
import Synchronization
import Wire

/// Requests by route, method and status: how many, and how long they took.
///
/// The label is the route's template, never the path, and no tenant: the number of series stays bounded.
public final class RequestMetrics: Sendable {
    private let loopCount: Int
    private let meters = Mutex<[RouteMeter]>([])

    public init(in metrics: Metrics) {
        loopCount = metrics.loopCount
        metrics.add("http_requests_total", "Requests answered.", .counter) { [self] out in
            forEachSeries { labels, histogram in
                out.writeSample("http_requests_total", labels, histogram.count)
            }
        }
        let name = "http_server_request_duration_seconds"
        metrics.add(name, "Time from the head of a request to the last byte of its answer.", .histogram) {
            [self] out in forEachSeries { labels, histogram in out.writeHistogram(name, labels, histogram) }
        }
    }

    /// The meter of one route; asked for once, when the routes are set up.
    public func meter(route: String, method: String) -> RouteMeter {
        let meter = RouteMeter(route: route, method: method, loopCount: loopCount)
        meters.withLock { $0.append(meter) }
        return meter
    }

    private func forEachSeries(_ body: ([(String, String)], Histogram) -> Void) {
        for meter in meters.withLock({ $0 }) {
            meter.forEachStatus { status, histogram in
                body([("route", meter.route), ("method", meter.method), ("status", status)], histogram)
            }
        }
    }
}

/// Counts the answers of one route.
// @unchecked Sendable: the slots are atomic and are filled once, under `making`.
public final class RouteMeter: @unchecked Sendable {
    public let route: String
    public let method: String
    private let loopCount: Int
    private let slots: UnsafeMutablePointer<Atomic<UnsafeMutableRawPointer?>>
    private let making = Mutex(())

    /// The statuses that have a series of their own; all others share the last slot.
    private static let statuses: [Int] = [
        200, 201, 202, 204, 206, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406, 408, 409,
        410, 411,
        412, 413, 414, 415, 417, 421, 422, 425, 426, 428, 429, 431, 499, 500, 501, 502, 503, 504, 505,
    ]
    private static let slotOfStatus: [UInt8] = {
        var slots = [UInt8](repeating: UInt8(statuses.count), count: 600)
        for (slot, status) in statuses.enumerated() { slots[status] = UInt8(slot) }
        return slots
    }()

    init(route: String, method: String, loopCount: Int) {
        self.route = route
        self.method = method
        self.loopCount = loopCount
        slots = .allocate(capacity: Self.statuses.count + 1)
        for index in 0...Self.statuses.count { (slots + index).initialize(to: Atomic(nil)) }
    }

    deinit {
        for index in 0...Self.statuses.count {
            if let held = slots[index].load(ordering: .acquiring) {
                Unmanaged<Histogram>.fromOpaque(held).release()
            }
        }
        slots.deinitialize(count: Self.statuses.count + 1)
        slots.deallocate()
    }

    /// Called on the thread of `loop`.
    public func record(status: Int, nanoseconds: UInt64, on loop: EventLoop) {
        let slot = (0..<600).contains(status) ? Int(Self.slotOfStatus[status]) : Self.statuses.count
        let held = slots[slot].load(ordering: .acquiring) ?? make(slot)
        Unmanaged<Histogram>.fromOpaque(held)._withUnsafeGuaranteedRef {
            $0.record(nanoseconds: nanoseconds, on: loop)
        }
    }

    private func make(_ slot: Int) -> UnsafeMutableRawPointer {
        making.withLock { _ in
            if let made = slots[slot].load(ordering: .acquiring) { return made }
            let histogram = Histogram(loopCount: loopCount, bounds: Histogram.requestBounds)
            let held = Unmanaged.passRetained(histogram).toOpaque()
            slots[slot].store(held, ordering: .releasing)
            return held
        }
    }

    func forEachStatus(_ body: (String, Histogram) -> Void) {
        for slot in 0...Self.statuses.count {
            guard let held = slots[slot].load(ordering: .acquiring) else { continue }
            let status = slot < Self.statuses.count ? String(Self.statuses[slot]) : "other"
            body(status, Unmanaged<Histogram>.fromOpaque(held).takeUnretainedValue())
        }
    }
}
