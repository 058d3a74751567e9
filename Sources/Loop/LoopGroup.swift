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

    /// The cores this process may use: what the machine has, less what its processor mask and its container deny.
    public static var cores: Int { max(1, min(sysconf(Int32(_SC_NPROCESSORS_ONLN)), masked, quota)) }

    private static var masked: Int {
        guard let mask = line(of: "/proc/self/status", after: "Cpus_allowed:") else { return .max }
        let bits = mask.compactMap(\.hexDigitValue).reduce(0) { $0 + $1.nonzeroBitCount }
        return bits == 0 ? .max : bits
    }

    /// A container that may use 150 ms of every 100 gets two loops.
    private static var quota: Int {
        let words = line(of: "/sys/fs/cgroup/cpu.max", after: "")?.split { $0 == " " || $0 == "\n" } ?? []
        guard words.count == 2, let used = Int(words[0]), let period = Int(words[1]), period > 0 else {
            return .max
        }
        return (used + period - 1) / period
    }

    /// What stands behind `start` on the first line of the file that begins so.
    private static func line(of path: String, after start: String) -> Substring? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var room = [UInt8](repeating: 0, count: 1024)
        while room.withUnsafeMutableBytes({ fgets($0.baseAddress, Int32($0.count), file) }) != nil {
            let line = String(decoding: room.prefix { $0 != 0 }, as: UTF8.self)
            if line.hasPrefix(start) { return line.dropFirst(start.count) }
        }
        return nil
    }

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
