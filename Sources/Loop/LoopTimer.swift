/// A deadline on one loop, cheap to move: moving it later only writes a number, the heap is told when it comes due.
///
/// For the loop's own thread; kept alive by its owner, and by the heap until it comes due or is cancelled.
public final class LoopTimer {
    private unowned let loop: EventLoop
    private let fire: () -> Void
    private var deadline: UInt64 = .max
    /// Where the heap has it; -1 when it has not.
    fileprivate(set) var place = -1

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
        loop.schedule(self, at: deadline)
    }

    /// Keeps it from firing; the heap drops it when it would have come due, so arming it again is cheap.
    public func disarm() { deadline = .max }

    /// Keeps it from firing and takes it out of the heap: for an owner that goes away long before the deadline.
    public func cancel() {
        deadline = .max
        if place >= 0 { loop.unschedule(self) }
    }

    /// Told by the loop that the heap's entry has come due and is gone.
    func expired(_ now: UInt64) {
        if deadline == .max { return }
        if deadline > now { return loop.schedule(self, at: deadline) }
        deadline = .max
        fire()
    }
}

/// The armed timers of one loop, soonest first: a binary heap in which each timer knows its place.
struct TimerHeap {
    private var entries: [(when: UInt64, timer: LoopTimer)] = []

    var next: UInt64? { entries.first?.when }
    var count: Int { entries.count }

    /// Takes a timer in, or moves it ahead; one that is to fire later than its entry says is left where it is.
    mutating func schedule(_ timer: LoopTimer, at when: UInt64) {
        if timer.place < 0 {
            timer.place = entries.count
            entries.append((when, timer))
        } else if when < entries[timer.place].when {
            entries[timer.place].when = when
        } else {
            return
        }
        rise(timer.place)
    }

    mutating func remove(_ timer: LoopTimer) {
        let place = timer.place
        guard place >= 0 else { return }
        swap(place, entries.count - 1)
        entries.removeLast()
        timer.place = -1
        if place < entries.count {
            rise(place)
            sink(place)
        }
    }

    /// Takes out everything that has come due by `now`.
    mutating func due(_ now: UInt64) -> [LoopTimer] {
        guard let first = entries.first, first.when <= now else { return [] }
        var out: [LoopTimer] = []
        while let first = entries.first, first.when <= now {
            out.append(first.timer)
            remove(first.timer)
        }
        return out
    }

    private mutating func rise(_ start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard entries[child].when < entries[parent].when else { return }
            swap(child, parent)
            child = parent
        }
    }

    private mutating func sink(_ start: Int) {
        var parent = start
        while true {
            var least = parent
            for child in [parent * 2 + 1, parent * 2 + 2]
            where child < entries.count && entries[child].when < entries[least].when { least = child }
            if least == parent { return }
            swap(parent, least)
            parent = least
        }
    }

    private mutating func swap(_ one: Int, _ other: Int) {
        guard one != other else { return }
        entries.swapAt(one, other)
        entries[one].timer.place = one
        entries[other].timer.place = other
    }
}
