import Glibc

/// The signals of the process, taken one after the other by the main thread.
///
/// The main thread waits for them and does nothing else: it must live as long as the process, because the embedded
/// database ends with the thread that started it.
enum Signals {
    static let stop: Set<Int32> = [SIGTERM, SIGINT]
    static let reload = SIGHUP
    static let childEnded = SIGCHLD
    /// Sent by ourselves when something the main thread waits for has happened.
    static let wakeUp = SIGUSR2

    private static var awaited: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in stop.union([reload, childEnded, wakeUp]) { sigaddset(&set, signal) }
        return set
    }

    /// Before the first thread is made: threads inherit what is blocked, so the signals reach only who waits.
    static func hold() {
        var set = awaited
        pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
    }

    /// The next signal; nil when there is none until the deadline.
    static func next(until deadline: ContinuousClock.Instant? = nil) -> Int32? {
        var set = awaited
        while true {
            var wait = timespec(tv_sec: 3600, tv_nsec: 0)
            if let deadline {
                let (seconds, atto) = (deadline - .now).components
                guard seconds >= 0, atto >= 0 else { return nil }
                wait = timespec(tv_sec: Int(seconds), tv_nsec: Int(atto / 1_000_000_000))
            }
            let signal = sigtimedwait(&set, nil, &wait)
            if signal > 0 { return signal }
            if errno == EAGAIN, deadline != nil { return nil }
        }
    }

    static func wakeMainThread() { kill(getpid(), wakeUp) }
}
