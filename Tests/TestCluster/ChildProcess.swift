import CLinux
import Dispatch
import Glibc
import Synchronization

/// A program run beside the tests. It gets a signal when this process dies, however that happens.
public final class ChildProcess: Sendable {
    public let pid: pid_t
    private let ended = DispatchSemaphore(value: 0)
    private let endStatus = Mutex<Int32?>(nil)

    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    /// - Parameter user: whom to run as when we are root, which PostgreSQL refuses to serve.
    public init(_ arguments: [String], as user: String? = nil, log: String) throws {
        let command = Self.command(arguments, as: user)
        let started = DispatchSemaphore(value: 0)
        let outcome = Mutex<(pid: pid_t, error: Int32)>((0, 0))
        let box = Mutex<ChildProcess?>(nil)
        // The signal at our death is bound to the thread that spawns, so that thread stays and waits for the child.
        let thread = Thread {
            let (pid, error) = Self.spawn(command, log: log)
            outcome.withLock { $0 = (pid, error) }
            started.signal()
            guard error == 0 else { return }
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            while box.withLock({ $0 == nil }) { usleep(1000) }
            box.withLock { child in
                child?.endStatus.withLock { $0 = status }
                child?.ended.signal()
                child = nil
            }
        }
        thread.start()
        started.wait()
        let (pid, error) = outcome.withLock { $0 }
        guard error == 0 else {
            throw Failure(description: "\(command[0]): \(String(cString: strerror(error)))")
        }
        self.pid = pid
        box.withLock { $0 = self }
    }

    public var isRunning: Bool { endStatus.withLock { $0 == nil } }

    public func signal(_ number: Int32) { if isRunning { kill(pid, number) } }

    /// Waits for the end; nil when it has not come in time.
    @discardableResult
    public func wait(seconds: Double = 10) -> Int32? {
        if ended.wait(timeout: .now() + seconds) == .timedOut { return nil }
        ended.signal()
        return endStatus.withLock { $0 }
    }

    /// Runs a program to its end and gives what it printed.
    @discardableResult
    public static func run(_ arguments: [String], as user: String? = nil, folder: String = "/tmp") throws
        -> String
    {
        let log = "\(folder)/run-\(UInt64.random(in: 0...UInt64.max)).log"
        defer { unlink(log) }
        let child = try ChildProcess(arguments, as: user, log: log)
        let status = child.wait(seconds: 60)
        let output = read(log)
        guard status == 0 else {
            throw Failure(description: "\(arguments.joined(separator: " ")): \(output)")
        }
        return output
    }

    static func read(_ path: String) -> String {
        guard let file = fopen(path, "r") else { return "" }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 {
            bytes.append(contentsOf: chunk[..<count])
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func command(_ arguments: [String], as user: String?) -> [String] {
        let setpriv = ["setpriv", "--pdeathsig=QUIT"]
        guard let user, geteuid() == 0 else { return setpriv + arguments }
        return setpriv + ["--reuid=\(user)", "--regid=\(user)", "--clear-groups"] + arguments
    }

    private static func spawn(_ command: [String], log: String) -> (pid_t, Int32) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // Out of the terminal's group: an interrupt is for the tests, which then stop what they started.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP) | Int16(POSIX_SPAWN_SETSIGMASK))
        var arguments = command.map { strdup($0) } + [nil]
        defer { for copy in arguments { free(copy) } }
        var pid = pid_t()
        let error = posix_spawnp(&pid, command[0], &actions, &attributes, &arguments, environ)
        return (pid, error)
    }
}

/// A thread of its own, which does not go back to any pool.
private struct Thread {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }

    func start() {
        let box = Unmanaged.passRetained(Box(body))
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { box in
                let box = Unmanaged<Box>.fromOpaque(box!).takeRetainedValue()
                box.body()
                return nil
            }, box.toOpaque())
        pthread_detach(thread)
    }

    private final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
