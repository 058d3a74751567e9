import CLinux
import Core
import Glibc

/// A program started by this process, in a process group of its own and with a clean environment.
struct ChildProcess {
    let pid: pid_t

    enum Exit: Equatable, CustomStringConvertible {
        case code(Int32)
        case signal(Int32)

        var description: String {
            switch self {
            case .code(let code): "exit code \(code)"
            case .signal(let signal): "signal \(signal)"
            }
        }
    }

    /// - Parameters:
    ///   - input: given to the program on its standard input.
    ///   - output: takes what it prints, errors too.
    ///   - inherited: a descriptor that stays open in the program and in what it starts.
    /// - Returns: nil with `errno` set when the program could not be started.
    static func start(
        _ arguments: [String], environment: [String: String], input: Int32, output: Int32,
        inherited: Int32? = nil
    ) -> ChildProcess? {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO)
        // Onto itself: that takes close-on-exec away, in the child alone.
        if let inherited { posix_spawn_file_actions_adddup2(&actions, inherited, inherited) }
        // Our folder may be closed to the user the program runs as.
        posix_spawn_file_actions_addchdir_np(&actions, "/")

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        // Ctrl-C at the terminal must reach us alone: the database has to outlive the requests in flight.
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var pid = pid_t()
        let code = withCStrings(arguments) { arguments in
            withCStrings(environment.map { "\($0)=\($1)" }) { environment in
                posix_spawn(&pid, arguments[0]!, &actions, &attributes, arguments, environment)
            }
        }
        errno = code
        return code == 0 ? ChildProcess(pid: pid) : nil
    }

    func wait() -> Exit {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return Self.exit(status)
    }

    /// How it ended, or nil while it runs. To be asked until the answer comes, and not again.
    func ended() -> Exit? {
        var status: Int32 = 0
        return waitpid(pid, &status, WNOHANG) == pid ? Self.exit(status) : nil
    }

    func send(_ signal: Int32) { kill(pid, signal) }

    private static func exit(_ status: Int32) -> Exit {
        status & 0x7F == 0 ? .code(status >> 8 & 0xFF) : .signal(status & 0x7F)
    }

    private static func withCStrings<Value>(
        _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Value
    ) -> Value {
        let pointers = texts.map { strdup($0) }
        defer { pointers.forEach { free($0) } }
        return body(pointers + [nil])
    }
}
