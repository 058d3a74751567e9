import Dispatch
import Glibc
import Synchronization

/// The loops of a process, one per core, each hosted on a Dispatch queue of its own.
public final class LoopGroup: Sendable {
    public let loops: [EventLoop]
    private let running = DispatchGroup()
    private let turn = Atomic<Int>(0)

    public init(count: Int = LoopGroup.cores) {
        loops = (0..<max(1, count)).map(EventLoop.init)
        for loop in loops {
            // A serial queue whose one block never returns keeps one thread of Dispatch for itself.
            let queue = DispatchQueue(label: "loop-\(loop.index)", qos: .userInitiated)
            queue.async(group: running) { loop.run() }
        }
    }

    /// The cores this process may use.
    public static var cores: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// A loop for work that has none of its own: each in turn.
    public func next() -> EventLoop {
        loops[Int(UInt(bitPattern: turn.wrappingAdd(1, ordering: .relaxed).oldValue) % UInt(loops.count))]
    }

    /// Ends all loops after their present turn and waits for them; tasks still bound to them never run again.
    public func stop() {
        for loop in loops { loop.stop() }
        running.wait()
    }
}

extension EventLoop {
    /// Starts a task that stays on this loop's thread.
    @discardableResult
    public func task(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        Task(executorPreference: self, operation: body)
    }

    /// Starts a task at once on this thread, which must be the loop's own: it runs until it first waits.
    @discardableResult
    public func immediateTask(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        Task.immediate(executorPreference: self, operation: body)
    }
}
