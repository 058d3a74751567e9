import CLinux
import Dispatch
import Glibc
import Synchronization

/// What a file descriptor on the loop is told.
public protocol Readiness: AnyObject {
    /// Called on the loop's thread; the descriptor is level triggered, so what is left unread is told again.
    func ready(_ events: EventLoop.Events)
}

/// One thread that waits for sockets and runs the tasks bound to it.
///
/// A task started with `Task(executorPreference: loop)` stays on this thread for its whole life, so what belongs to
/// one loop needs no lock. Anything may call `execute` and `enqueue`; all else is for the loop's own thread.
// @unchecked Sendable: the state below `inbox` is touched on the loop's thread alone, the inbox under its mutex.
public final class EventLoop: TaskExecutor, @unchecked Sendable {
    public struct Events: OptionSet, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        public static let readable = Events(rawValue: EPOLLIN.rawValue)
        public static let writable = Events(rawValue: EPOLLOUT.rawValue)
        /// The peer has finished writing.
        public static let peerClosed = Events(rawValue: EPOLLRDHUP.rawValue)
        /// Error or hang-up; told whether asked for or not.
        public static let broken = Events(rawValue: EPOLLERR.rawValue | EPOLLHUP.rawValue)
    }

    public let index: Int

    private enum Work {
        case job(UnownedJob)
        case call(@Sendable () -> Void)
    }

    private struct Inbox {
        var work: [Work] = []
        var isWoken = false
        var isStopping = false
    }

    private struct Watched {
        var handler: (any Readiness)?
        var generation: UInt32 = 0
    }

    private let inbox = Mutex(Inbox())
    private let epoll: Int32
    private let wakeUp: Int32
    private var watched: [Watched] = []
    private var jobs: [UnownedJob] = []
    private var atTurnEnd: [() -> Void] = []
    private var timers = TimerHeap()

    /// Nanoseconds of the monotonic clock, read once a turn.
    public private(set) var now: UInt64 = EventLoop.monotonicNanoseconds()

    private static let eventsAtOnce = 256

    init(index: Int) {
        self.index = index
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        wakeUp = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        precondition(epoll >= 0 && wakeUp >= 0, "the system has no file descriptor left for an event loop")
        var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(u64: Self.wakeUpMark))
        epoll_ctl(epoll, EPOLL_CTL_ADD, wakeUp, &event)
    }

    deinit {
        close(epoll)
        close(wakeUp)
    }

    /// The loop whose thread this is, if any.
    public static var current: EventLoop? {
        pthread_getspecific(currentKey).map { Unmanaged<EventLoop>.fromOpaque($0).takeUnretainedValue() }
    }

    public var isCurrent: Bool {
        pthread_getspecific(Self.currentKey)
            == UnsafeMutableRawPointer(Unmanaged.passUnretained(self).toOpaque())
    }

    /// Runs `work` on this loop's thread, soon.
    public func execute(_ work: @escaping @Sendable () -> Void) { post(.call(work)) }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isCurrent { jobs.append(job) } else { post(.job(job)) }
    }

    private func post(_ work: Work) {
        let mustWake = inbox.withLock { inbox in
            inbox.work.append(work)
            defer { inbox.isWoken = true }
            return !inbox.isWoken
        }
        if mustWake { eventfd_write(wakeUp, 1) }
    }

    // MARK: on the loop's thread

    /// Watches a descriptor; the handler is held until `forget`.
    public func watch(_ descriptor: Int32, _ events: Events, _ handler: any Readiness) {
        let slot = Int(descriptor)
        while watched.count <= slot { watched.append(Watched()) }
        watched[slot].handler = handler
        watched[slot].generation &+= 1
        control(EPOLL_CTL_ADD, descriptor, events)
    }

    public func change(_ descriptor: Int32, _ events: Events) { control(EPOLL_CTL_MOD, descriptor, events) }

    /// Must come before the descriptor is closed; events already fetched for it are dropped.
    public func forget(_ descriptor: Int32) {
        let slot = Int(descriptor)
        guard slot < watched.count, watched[slot].handler != nil else { return }
        watched[slot].handler = nil
        watched[slot].generation &+= 1
        control(EPOLL_CTL_DEL, descriptor, [])
    }

    private func control(_ operation: Int32, _ descriptor: Int32, _ events: Events) {
        // The generation beside the descriptor tells an event of a closed socket from one of its successor.
        let mark = UInt64(watched[Int(descriptor)].generation) << 32 | UInt64(UInt32(bitPattern: descriptor))
        var event = epoll_event(events: events.rawValue, data: epoll_data_t(u64: mark))
        epoll_ctl(epoll, operation, descriptor, &event)
    }

    /// Runs `work` once, before the loop waits again: the place to send what a turn has gathered in one go.
    public func atEndOfTurn(_ work: @escaping () -> Void) { atTurnEnd.append(work) }

    /// A timer of this loop; it is off until armed.
    public func timer(_ fire: @escaping () -> Void) -> LoopTimer { LoopTimer(loop: self, fire) }

    func schedule(_ timer: LoopTimer, at deadline: UInt64) { timers.schedule(timer, at: deadline) }

    func unschedule(_ timer: LoopTimer) { timers.remove(timer) }

    // MARK: the turn

    func run() {
        pthread_setspecific(Self.currentKey, Unmanaged.passUnretained(self).toOpaque())
        let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: Self.eventsAtOnce)
        defer { events.deallocate() }
        var isStopping = false
        while !isStopping {
            let count = epoll_wait(epoll, events, Int32(Self.eventsAtOnce), waitMilliseconds())
            now = Self.monotonicNanoseconds()
            for index in 0..<Int(max(count, 0)) { dispatch(events[index]) }
            for timer in timers.due(now) { timer.expired(now) }
            isStopping = runInbox()
            runJobs()
            endTurn()
        }
    }

    private func dispatch(_ event: epoll_event) {
        let mark = event.data.u64
        if mark == Self.wakeUpMark {
            var count: eventfd_t = 0
            eventfd_read(wakeUp, &count)
            return
        }
        let slot = Int(mark & 0xFFFF_FFFF)
        guard watched[slot].generation == UInt32(mark >> 32), let handler = watched[slot].handler else {
            return
        }
        handler.ready(Events(rawValue: event.events))
    }

    private func runInbox() -> Bool {
        let (work, isStopping) = inbox.withLock { inbox in
            let work = inbox.work
            inbox.work = []
            inbox.isWoken = false
            return (work, inbox.isStopping)
        }
        for item in work {
            switch item {
            case .job(let job): jobs.append(job)
            case .call(let call): call()
            }
        }
        return isStopping
    }

    private func runJobs() {
        // A job may enqueue further ones: they run in the same turn, but sockets are looked at after so many.
        var at = 0
        while at < jobs.count, at < Self.jobsPerTurn {
            jobs[at].runSynchronously(on: asUnownedTaskExecutor())
            at += 1
        }
        if at == jobs.count { jobs.removeAll(keepingCapacity: true) } else { jobs.removeFirst(at) }
    }

    private func endTurn() {
        while !atTurnEnd.isEmpty {
            let work = atTurnEnd
            atTurnEnd.removeAll(keepingCapacity: true)
            for call in work { call() }
        }
    }

    private func waitMilliseconds() -> Int32 {
        if !jobs.isEmpty { return 0 }
        guard let next = timers.next else { return -1 }
        let current = Self.monotonicNanoseconds()
        return next <= current ? 0 : Int32(min((next - current + 999_999) / 1_000_000, 60_000))
    }

    func stop() {
        inbox.withLock { $0.isStopping = true }
        execute {}
    }

    private static let jobsPerTurn = 4096
    private static let wakeUpMark = UInt64.max
    private static let currentKey: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key, nil)
        return key
    }()

    /// Nanoseconds of the clock that never goes back.
    public static func monotonicNanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
