import Loop
import Synchronization

/// Whether this process can do its work: checks that the parts register, asked by /readyz.
public final class Health: Sendable {
    public struct Check: Sendable {
        public let name: String
        /// Nil when all is well, else the reason in a sentence without secrets.
        public let run: @Sendable () async -> String?

        public init(_ name: String, _ run: @escaping @Sendable () async -> String?) {
            self.name = name
            self.run = run
        }
    }

    private let checks = Mutex<[Check]>([])
    private let draining = Atomic<Bool>(false)

    public init() {}

    public func register(_ check: Check) { checks.withLock { $0.append(check) } }

    /// From here on /readyz says no, so that a balancer sends nobody any more.
    public func beginDrain() { draining.store(true, ordering: .relaxed) }
    public var isDraining: Bool { draining.load(ordering: .relaxed) }

    struct Finding: Sendable {
        let name: String
        let reason: String?
        let milliseconds: Int
    }

    func findings() async -> [Finding] {
        var findings: [Finding] = []
        if isDraining {
            findings.append(Finding(name: "drain", reason: "the process is about to stop", milliseconds: 0))
        }
        for check in checks.withLock({ $0 }) {
            let start = EventLoop.monotonicNanoseconds()
            let reason = await check.run()
            let milliseconds = Int((EventLoop.monotonicNanoseconds() - start) / 1_000_000)
            findings.append(Finding(name: check.name, reason: reason, milliseconds: milliseconds))
        }
        return findings
    }
}
