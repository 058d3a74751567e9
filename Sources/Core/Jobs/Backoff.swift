/// The pauses between the attempts at a job.
public struct Backoff: Sendable {
    private let pauses: [Duration]

    /// 5 s, doubled each time, an hour at most: 20 attempts span about ten hours.
    public static let standard = Backoff.doubling(from: .seconds(5), upTo: .seconds(3600))

    /// Exactly these, the last one again and again.
    public static func schedule(_ pauses: [Duration]) -> Backoff {
        precondition(!pauses.isEmpty, "a schedule needs a pause")
        return Backoff(pauses: pauses)
    }

    public static func doubling(from first: Duration, upTo longest: Duration) -> Backoff {
        var pauses = [first]
        while let last = pauses.last, last < longest { pauses.append(min(last * 2, longest)) }
        return Backoff(pauses: pauses)
    }

    /// The pause after so many failures. `random` in 0..<1 spreads it from four fifths to six fifths, so that what failed
    /// together does not come back together.
    public func pause(afterAttempt attempt: Int, random: Double = .random(in: 0..<1)) -> Duration {
        pauses[min(max(attempt, 1), pauses.count) - 1] * (0.8 + random * 0.4)
    }
}
