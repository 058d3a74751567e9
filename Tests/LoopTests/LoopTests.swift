import CLinux
import Glibc
import Loop
import Synchronization
import Testing

@Suite struct LoopTests {
    /// Runs on the loop's thread and comes back with what it returned.
    private func on<Value: Sendable>(_ loop: EventLoop, _ body: @escaping @Sendable () -> Value) async
        -> Value
    {
        await withCheckedContinuation { continuation in
            loop.execute { continuation.resume(returning: body()) }
        }
    }

    @Test func `work handed over runs on the loop's thread, in order`() async {
        let loops = LoopGroup(count: 2)
        let seen = Mutex<[Int]>([])
        let loop = loops.loops[1]
        #expect(EventLoop.current == nil)
        for index in 0..<1000 {
            loop.execute { seen.withLock { $0.append(EventLoop.current === loop ? index : -1) } }
        }
        #expect(await on(loop) { seen.withLock { $0 } } == Array(0..<1000))
        loops.stop()
    }

    @Test func `a task bound to a loop stays there over waits, children and callbacks`() async {
        let loops = LoopGroup(count: 2)
        let pool = BlockingPool(label: "test", workers: 1, queueLimit: 8)
        for loop in loops.loops {
            let places = await withCheckedContinuation { continuation in
                loop.task {
                    var places: [Bool] = [loop.isCurrent]
                    await Task.yield()
                    places.append(loop.isCurrent)
                    _ = try? await pool.run { EventLoop.current == nil }
                    places.append(loop.isCurrent)
                    try? await Task.sleep(for: .milliseconds(1))
                    places.append(loop.isCurrent)
                    async let child = Self.isOn(loop)
                    places.append(await child)
                    continuation.resume(returning: places)
                }
            }
            #expect(places == [true, true, true, true, true])
        }
        pool.stop()
        loops.stop()
    }

    private static func isOn(_ loop: EventLoop) async -> Bool {
        await Task.yield()
        return loop.isCurrent
    }

    @Test func `an immediate task runs until it first waits before the caller goes on`() async {
        let loops = LoopGroup(count: 1)
        let loop = loops.loops[0]
        let order = await withCheckedContinuation { (continuation: CheckedContinuation<[Int], Never>) in
            loop.execute {
                let order = Mutex<[Int]>([])
                let note: @Sendable (Int) -> Void = { step in order.withLock { $0.append(step) } }
                loop.immediateTask {
                    note(1)
                    await Task.yield()
                    note(3)
                    continuation.resume(returning: order.withLock { $0 })
                }
                note(2)
            }
        }
        #expect(order == [1, 2, 3])
        loops.stop()
    }

    @Test func `readiness is told until it is taken, and not after it was forgotten`() async throws {
        let loops = LoopGroup(count: 1)
        let loop = loops.loops[0]
        var ends: [Int32] = [0, 0]
        try #require(pipe2(&ends, Int32(O_NONBLOCK | O_CLOEXEC)) == 0)
        let (reading, writing) = (ends[0], ends[1])
        let told = Told()
        await on(loop) { loop.watch(reading, .readable, told) }
        write(writing, "ab", 2)
        #expect(await eventually { told.count.load(ordering: .relaxed) >= 2 })
        await on(loop) {
            loop.forget(reading)
            told.count.store(0, ordering: .relaxed)
        }
        write(writing, "c", 1)
        await on(loop) {}
        await on(loop) {}
        #expect(told.count.load(ordering: .relaxed) == 0)
        close(reading)
        close(writing)
        loops.stop()
    }

    private final class Told: Readiness, Sendable {
        let count = Atomic<Int>(0)
        func ready(_ events: EventLoop.Events) { count.add(1, ordering: .relaxed) }
    }

    @Test func `what is gathered for the end of a turn runs before the loop waits, also what that adds`()
        async
    {
        let loops = LoopGroup(count: 1)
        let loop = loops.loops[0]
        let order = await withCheckedContinuation { (continuation: CheckedContinuation<[Int], Never>) in
            loop.execute {
                let order = Mutex<[Int]>([])
                let note: @Sendable (Int) -> Void = { step in order.withLock { $0.append(step) } }
                loop.atEndOfTurn {
                    note(2)
                    loop.atEndOfTurn {
                        note(3)
                        continuation.resume(returning: order.withLock { $0 })
                    }
                }
                note(1)
            }
        }
        #expect(order == [1, 2, 3])
        loops.stop()
    }

    @Test func `timers fire in the order of their deadlines, once each`() async {
        let loops = LoopGroup(count: 1)
        let loop = loops.loops[0]
        let fired = Mutex<[Int]>([])
        let timers = Timers()
        await on(loop) {
            for (index, delay) in [30, 10, 20, 40, 5].enumerated() {
                let timer = loop.timer { fired.withLock { $0.append(index) } }
                timer.arm(after: .milliseconds(delay))
                timers.all.append(timer)
            }
        }
        #expect(await eventually { fired.withLock { $0.count } == 5 })
        #expect(fired.withLock { $0 } == [4, 1, 2, 0, 3])
        #expect(await on(loop) { timers.all.allSatisfy { !$0.isArmed } })
        loops.stop()
    }

    @Test func `a timer that was moved, put off or cancelled fires as last said`() async {
        let loops = LoopGroup(count: 1)
        let loop = loops.loops[0]
        let fired = Mutex<[String]>([])
        let timers = Timers()
        await on(loop) {
            func timer(_ name: String) -> LoopTimer {
                let timer = loop.timer { fired.withLock { $0.append(name) } }
                timers.all.append(timer)
                return timer
            }
            let sooner = timer("sooner")
            sooner.arm(after: .seconds(60))
            sooner.arm(after: .milliseconds(20))
            let later = timer("later")
            later.arm(after: .milliseconds(1))
            later.arm(after: .milliseconds(60))
            let off = timer("off")
            off.arm(after: .milliseconds(5))
            off.disarm()
            let cancelled = timer("cancelled")
            cancelled.arm(after: .milliseconds(5))
            cancelled.cancel()
            let again = timer("again")
            again.arm(after: .milliseconds(5))
            again.disarm()
            again.arm(after: .milliseconds(40))
        }
        #expect(await eventually { fired.withLock { $0.count } >= 3 })
        #expect(fired.withLock { $0 } == ["sooner", "again", "later"])
        loops.stop()
    }

    @Test func `a cancelled timer is let go of at once`() async {
        let loops = LoopGroup(count: 1)
        let loop = loops.loops[0]
        let alive = await on(loop) {
            var kept: LoopTimer? = loop.timer {}
            weak let watched = kept
            kept?.arm(after: .seconds(3600))
            kept?.cancel()
            kept = nil
            return watched != nil
        }
        #expect(!alive)
        loops.stop()
    }

    // @unchecked Sendable: touched on the one loop alone.
    private final class Timers: @unchecked Sendable { var all: [LoopTimer] = [] }
}

@Suite struct BlockingPoolTests {
    @Test func `work beyond the queue's limit is refused at once`() async throws {
        let pool = BlockingPool(label: "test", workers: 1, queueLimit: 2)
        let held = Mutex(false)
        let started = Atomic<Bool>(false)
        held.withLock { _ in
            #expect(
                pool.submit {
                    started.store(true, ordering: .relaxed)
                    held.withLock { _ in }
                })
            while !started.load(ordering: .relaxed) { sched_yield() }
            #expect(pool.submit {})
            #expect(pool.submit {})
            #expect(!pool.submit {})
            #expect(pool.depth == 2)
        }
        #expect(await eventually { pool.depth == 0 })
        #expect(try await pool.run { 42 } == 42)
        pool.stop()
        await #expect(throws: BlockingPool.Full.self) { try await pool.run { 1 } }
    }

    @Test func `an error comes back to the caller`() async {
        struct Broken: Error {}
        let pool = BlockingPool(label: "test", workers: 2, queueLimit: 2)
        await #expect(throws: Broken.self) { try await pool.run { throw Broken() } }
        pool.stop()
    }
}

private func eventually(_ condition: () -> Bool) async -> Bool {
    let end = ContinuousClock.now + .seconds(10)
    while ContinuousClock.now < end {
        if condition() { return true }
        try? await Task.sleep(for: .milliseconds(2))
    }
    return condition()
}
