import HTTP
import Wire

/// When a delivery that failed is tried again: Standard Webhooks' example schedule, 75 hours in all.
enum Schedule {
    /// The first is the pause before the first try.
    static let pauses = [0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]

    /// The pause before the next try after `tries` of them have failed; nil when that was the last.
    static func pause(afterTries tries: Int, random: Double = .random(in: 0...1)) -> Duration? {
        guard pauses.indices.contains(tries) else { return nil }
        // Up to a tenth more or less, so that what failed together does not come back together.
        return .milliseconds(Int(Double(pauses[tries]) * (900 + 200 * random)))
    }

    /// The pause of a whole endpoint that was too busy `steps` times in a row.
    static func slowPause(_ steps: Int) -> Duration {
        .seconds(min(1 << min(steps, 10), WebhookLimits.slowPauseSecondsMax))
    }

    /// The value of Retry-After (RFC 9110): seconds or a date.
    static func retryAfter(_ field: String?, now: Timestamp) -> Duration? {
        guard let field else { return nil }
        if let seconds = Int(field) {
            return .seconds(min(max(seconds, 0), WebhookLimits.retryAfterSecondsMax))
        }
        guard let date = HTTPDate.parse(field, now: now) else { return nil }
        return .seconds(min(max(Int(date.seconds - now.seconds), 0), WebhookLimits.retryAfterSecondsMax))
    }
}
