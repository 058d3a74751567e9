import CLinux
import Dispatch
import Glibc
import Synchronization

/// Threads for work that blocks or burns the processor (password hashes, files, name look-ups), so that no loop waits.
///
/// Bounded twice: so many at work, so many waiting. What comes beyond is refused at once with `Full`.
// @unchecked Sendable: the state is touched under `lock` alone.
public final class BlockingPool: @unchecked Sendable {
    /// Every worker is busy and the queue is at its limit.
    public struct Full: Error {}

    private let queueLimit: Int
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let arrived = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var waiting: [() -> Void] = []
    private var isStopping = false

    /// - Parameter niceness: added to the threads' nice value: 19 lets the loops go first on a full machine.
    public init(label: String, workers: Int, queueLimit: Int, niceness: Int32 = 0) {
        self.queueLimit = queueLimit
        pthread_mutex_init(lock, nil)
        pthread_cond_init(arrived, nil)
        for index in 0..<workers {
            // One endless block on a serial queue of its own pins a thread, which can then be made nice.
            DispatchQueue(label: "\(label)-\(index)").async { [self] in work(niceness) }
        }
    }

    deinit {
        pthread_mutex_destroy(lock)
        pthread_cond_destroy(arrived)
        lock.deallocate()
        arrived.deallocate()
    }

    public var depth: Int { locked { waiting.count } }

    /// Runs `work` on one of the pool's threads and comes back to the caller's own executor.
    public func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withUnsafeThrowingContinuation { (continuation: UnsafeContinuation<Value, any Error>) in
            let accepted = submit { continuation.resume(with: Result { try work() }) }
            if !accepted { continuation.resume(throwing: Full()) }
        }
    }

    /// False when the queue is full.
    public func submit(_ work: @escaping @Sendable () -> Void) -> Bool {
        locked {
            guard waiting.count < queueLimit, !isStopping else { return false }
            waiting.append(work)
            pthread_cond_signal(arrived)
            return true
        }
    }

    /// What is queued still runs; then the threads end.
    public func stop() {
        locked {
            isStopping = true
            pthread_cond_broadcast(arrived)
        }
    }

    private func work(_ niceness: Int32) {
        if niceness != 0 { setpriority(__priority_which_t(PRIO_PROCESS.rawValue), id_t(gettid()), niceness) }
        while let next = take() { next() }
    }

    private func take() -> (() -> Void)? {
        locked {
            while waiting.isEmpty {
                if isStopping { return nil }
                pthread_cond_wait(arrived, lock)
            }
            return waiting.removeFirst()
        }
    }

    private func locked<Value>(_ body: () throws -> Value) rethrows -> Value {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return try body()
    }
}
