import Dispatch
import Synchronization

/// What a sleeping worker waits on: it wakes when its time is up or when somebody beats the pulse. A beat while
/// nobody sleeps is kept, so that news between two rounds is never slept over.
final class Pulse: Sendable {
    private struct State {
        var hasBeaten = false
        var sleep = 0
        var sleeper: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func beat() { wake(sleep: nil) }

    func wait(upTo longest: Duration) async {
        await withCheckedContinuation { continuation in
            let sleep = state.withLock { state -> Int? in
                if state.hasBeaten {
                    state.hasBeaten = false
                    return nil
                }
                state.sleep += 1
                state.sleeper = continuation
                return state.sleep
            }
            guard let sleep else { return continuation.resume() }
            DispatchQueue.global().asyncAfter(deadline: .now() + .nanoseconds(Int(longest.wholeNanoseconds)))
            {
                [weak self] in
                self?.wake(sleep: sleep)
            }
        }
    }

    /// Wakes the sleeper; a timer wakes only the sleep it was set for.
    private func wake(sleep: Int?) {
        let sleeper = state.withLock { state -> CheckedContinuation<Void, Never>? in
            if let sleep, sleep != state.sleep { return nil }
            defer { state.sleeper = nil }
            if sleep == nil && state.sleeper == nil { state.hasBeaten = true }
            return state.sleeper
        }
        sleeper?.resume()
    }
}

extension Duration {
    /// For clocks that count so; what is negative is none.
    var wholeNanoseconds: UInt64 {
        let (seconds, atto) = components
        return UInt64(max(0, seconds)) * 1_000_000_000 + UInt64(max(0, atto)) / 1_000_000_000
    }
}
