/// A deadline on one loop, cheap to move: moving it later only writes a number, the heap is told when it comes due.
///
/// For the loop's own thread; kept alive by its owner and by the heap while it is armed.
public final class LoopTimer {
    private unowned let loop: EventLoop
    private let fire: () -> Void
    private var deadline: UInt64 = .max
    /// When the heap will next look at this timer; `.max` when it will not.
    private var scheduled: UInt64 = .max

    init(loop: EventLoop, _ fire: @escaping () -> Void) {
        self.loop = loop
        self.fire = fire
    }

    public var isArmed: Bool { deadline != .max }

    public func arm(after delay: Duration) {
        let (seconds, atto) = delay.components
        arm(afterNanoseconds: UInt64(max(0, seconds)) * 1_000_000_000 + UInt64(max(0, atto)) / 1_000_000_000)
    }

    @inlinable public func arm(afterNanoseconds delay: UInt64) { arm(at: loopNow &+ delay) }

    @usableFromInline var loopNow: UInt64 { loop.now }

    /// Due at this reading of the monotonic clock.
    public func arm(at deadline: UInt64) {
        self.deadline = deadline
        if deadline < scheduled {
            scheduled = deadline
            loop.schedule(self, at: deadline)
        }
    }

    public func disarm() { deadline = .max }

    /// Told by the loop that the heap's entry has come due.
    func expired(_ now: UInt64, entry: UInt64) {
        guard entry == scheduled else { return }
        scheduled = .max
        if deadline == .max { return }
        if deadline > now { arm(at: deadline); return }
        deadline = .max
        fire()
    }
}

/// The armed timers of one loop, soonest first: a binary heap of (when, timer).
struct TimerHeap {
    private var entries: [(when: UInt64, timer: LoopTimer)] = []

    var next: UInt64? { entries.first?.when }

    mutating func push(_ when: UInt64, _ timer: LoopTimer) {
        entries.append((when, timer))
        var child = entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard entries[child].when < entries[parent].when else { break }
            entries.swapAt(child, parent)
            child = parent
        }
    }

    /// Takes out everything that has come due by `now`.
    mutating func due(_ now: UInt64) -> [(when: UInt64, timer: LoopTimer)] {
        guard let first = entries.first, first.when <= now else { return [] }
        var out: [(when: UInt64, timer: LoopTimer)] = []
        while let first = entries.first, first.when <= now {
            out.append(first)
            removeFirst()
        }
        return out
    }

    private mutating func removeFirst() {
        entries.swapAt(0, entries.count - 1)
        entries.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [parent * 2 + 1, parent * 2 + 2]
            where child < entries.count && entries[child].when < entries[least].when { least = child }
            if least == parent { return }
            entries.swapAt(parent, least)
            parent = least
        }
    }
}
