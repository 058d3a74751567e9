import Core
import Wire

/// What is to be done about a delivery now, and the steps that led to it.
struct DeliveryVerdict: Sendable {
    enum Outcome: Sendable, Equatable {
        case send
        /// Kept, and looked at again then.
        case wait(until: Timestamp)
        /// Gathered with others until then at the latest.
        case gather(until: Timestamp)
        case end(DeliveryState)
    }

    struct Step: Codable, Sendable {
        let step: String
        let outcome: String
        let reason: String
        let detail: String
        let at: Timestamp
    }

    private(set) var outcome: Outcome
    private(set) var steps: [Step]
    /// At most so many mails in so long; beyond it this one is gathered too.
    let throttle: (max: Int, seconds: Int)?
    private let now: Timestamp

    var reason: String { steps.last?.reason ?? "" }
    var detail: String { steps.last?.detail ?? "" }

    /// - Parameter isEscalated: a rule sends it by this channel because it stayed unread.
    static func of(
        _ one: DeliveryCase, _ channel: NotificationChannel, _ routing: NotificationRouting,
        isEscalated: Bool,
        at now: Timestamp
    ) -> DeliveryVerdict {
        let rule = routing.rule(for: one.person)
        let throttle: (Int, Int)? =
            if let max = rule?.throttleMax, let seconds = rule?.throttleSeconds, channel == .email,
                !one.isCritical
            {
                (max, seconds)
            } else { nil }
        var verdict = DeliveryVerdict(outcome: .send, steps: [], throttle: throttle, now: now)
        if one.isCancelled {
            verdict.end(.cancelled, "cancelled", "cancelled", "It was cancelled before it went out.")
            return verdict
        }
        guard one.isMember else {
            verdict.end(
                .skipped, "member", "not-a-member", "The person is not an active member of the company.")
            return verdict
        }
        let decision = routing.decide(channel, for: one.person)
        verdict.note("routing", decision.isOn ? "on" : "off", decision.reason, decision.detail)
        if !decision.isOn {
            // A person's or company's word against a channel holds; that a rule or a type did not propose it does not.
            let isFirm = ["preference", "company-locked", "not-offered"].contains(decision.reason)
            guard isEscalated, !isFirm else {
                verdict.outcome = .end(.skipped)
                return verdict
            }
            verdict.note(
                "escalation", "on", "escalated",
                "It stayed unread, and a rule then sends it by \(channel.rawValue).")
        }
        if channel == .email { verdict.considerMail(one, routing, rule) }
        return verdict
    }

    private mutating func considerMail(
        _ one: DeliveryCase, _ routing: NotificationRouting, _ rule: NotificationRouting.Rule?
    ) {
        guard one.email != nil else {
            return end(.skipped, "address", "no-address", "The person has no e-mail address.")
        }
        if let suppression = one.suppression {
            return end(
                .suppressed, "suppression", "suppressed",
                "The address is suppressed (\(suppression)): it is not tried until that is lifted.")
        }
        if one.isCritical { return note("send", "now", "critical", "Critical news waits for nothing.") }
        if let until = one.quietUntil {
            outcome = .wait(until: until)
            return note("quiet-hours", "wait", "quiet-hours", "The person's quiet hours last until \(until).")
        }
        let wish = routing.digest(for: one.person)
        switch wish {
        case "hourly": gather(until: now + .seconds(3600), "The person wants an hourly digest.")
        case "daily": gather(until: one.nextDaily, "The person wants a daily digest.")
        case "weekly": gather(until: one.nextWeekly, "The person wants a weekly digest.")
        case "off": note("send", "now", "due", "It goes out now.")
        default:
            guard let minutes = rule?.digestMinutes, let rule else {
                return note("send", "now", "due", "It goes out now.")
            }
            gather(
                until: now + .seconds(minutes * 60),
                "The rule \"\(rule.name)\" gathers for \(minutes) minutes.")
        }
    }

    /// More mails than the rule allows went out of late.
    mutating func throttled() {
        guard let throttle else { return }
        gather(
            until: now + .seconds(throttle.seconds),
            "\(throttle.max) mails in \(throttle.seconds) seconds are the rule's limit; this one is gathered.",
            reason: "throttled")
    }

    private mutating func gather(until: Timestamp, _ detail: String, reason: String = "digest") {
        outcome = .gather(until: until)
        note("digest", "gather", reason, detail)
    }

    private mutating func end(_ state: DeliveryState, _ step: String, _ reason: String, _ detail: String) {
        outcome = .end(state)
        note(step, state.rawValue, reason, detail)
    }

    private mutating func note(_ step: String, _ outcome: String, _ reason: String, _ detail: String) {
        steps.append(Step(step: step, outcome: outcome, reason: reason, detail: detail, at: now))
    }
}
