import Telemetry

/// What an operator watches about signing in.
struct AuthFigures: Sendable {
    struct Logins: Sendable {
        let refused: Counter
        let throttled: Counter
        let secondStepAsked: Counter
        let secondStepRefused: Counter
        let byMethod: [String: Counter]
    }

    let logins: Logins
    private let refreshed: Counter
    private let repeated: Counter
    private let refreshRefused: Counter
    private let reused: Counter

    init(in metrics: Metrics, passwords: Passwords) {
        let attempts = metrics.counters(
            "auth_logins_total", "Attempts to sign in, by the way taken and what became of them.",
            labels: ["method", "outcome"])
        logins = Logins(
            refused: attempts.with("password", "refused"), throttled: attempts.with("password", "throttled"),
            secondStepAsked: attempts.with("second_factor", "asked"),
            secondStepRefused: attempts.with("second_factor", "refused"),
            byMethod: Dictionary(
                uniqueKeysWithValues: ["password", "magic_link", "social", "sso"].map {
                    ($0, attempts.with($0, "succeeded"))
                }))
        let refreshes = metrics.counters(
            "auth_refreshes_total", "Exchanges of refresh tokens, by what became of them.",
            labels: ["outcome"])
        refreshed = refreshes.with("rotated")
        repeated = refreshes.with("repeated")
        refreshRefused = refreshes.with("refused")
        reused = refreshes.with("reused")
        metrics.observe(.gauge, "auth_passwords_waiting", "Passwords waiting to be hashed.") {
            Double(passwords.waiting)
        }
    }

    func loggedIn(by method: String) { logins.byMethod[method]?.add() }

    func count(_ outcome: RefreshChain.Outcome) {
        switch outcome {
        case .rotated: refreshed.add()
        case .repeated: repeated.add()
        case .refused: refreshRefused.add()
        case .reused: reused.add()
        }
    }
}
