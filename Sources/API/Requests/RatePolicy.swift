/// So many requests in so long, counted for each client, user or company.
public struct RatePolicy: Sendable, Hashable {
    public enum Subject: Sendable, Hashable {
        /// The address the request comes from.
        case client
        /// The user, or the address when nobody is logged in.
        case user
        /// The company, or what `user` says when the token is for none.
        case company
    }

    public let name: String
    public let quota: Int
    public let windowSeconds: Int
    public let subject: Subject

    public init(_ name: String, quota: Int, windowSeconds: Int, per subject: Subject) {
        self.name = name
        self.quota = quota
        self.windowSeconds = windowSeconds
        self.subject = subject
    }

    /// Ten a second: no person's client comes near it, and a runaway script is stopped.
    public static let `default` = RatePolicy("default", quota: 600, windowSeconds: 60, per: .user)
    /// What is open to everybody: enough for an office behind one address.
    public static let open = RatePolicy("open", quota: 300, windowSeconds: 60, per: .client)
    /// Passwords and codes: a person mistypes, a guesser needs thousands.
    public static let login = RatePolicy("login", quota: 20, windowSeconds: 60, per: .client)
    /// What sends mail to somebody.
    public static let mail = RatePolicy("mail", quota: 10, windowSeconds: 600, per: .client)
    /// Health and metrics are asked by machines and cost nothing.
    public static let none = RatePolicy("none", quota: 0, windowSeconds: 1, per: .client)

    /// The other quota of a deployment.
    func with(quota: Int) -> RatePolicy {
        RatePolicy(name, quota: quota, windowSeconds: windowSeconds, per: subject)
    }
}
