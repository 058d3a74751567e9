import API
import Core
import Crypto
import Postgres
import Wire

/// What somebody brings to the door.
struct LoginRequest: Codable, Sendable {
    let email: Email
    let password: OfferedPassword
    /// A code of the second factor, when it is at hand already.
    let code: Text<40>?
    /// The company to work in; without it the one of the last time.
    let companyId: UUID?
}

/// Opens sessions. Whether an account exists shows neither in the answer nor in its time.
struct SignIn: Sendable {
    let parts: AuthParts
    let visit: Visit
    let now: Timestamp
    let isBrowser: Bool

    init(_ call: Call, isBrowser: Bool = false) {
        parts = call.auth
        visit = Visit(call)
        now = call.now
        self.isBrowser = isBrowser
    }

    /// The account as far as signing in looks at it.
    struct Account: Sendable {
        let id: UUID
        let name: String
        let email: String
        let locale: String
        var passwordHash: String?
        let status: String
        let lastCompanyId: UUID?
        let hasSecondFactor: Bool

        init(_ row: Row) throws {
            id = try row.get("id")
            name = try row.get("name")
            email = try row.get("email")
            locale = try row.get("locale")
            passwordHash = try row.get("password_hash")
            status = try row.get("status")
            lastCompanyId = try row.get("last_company_id")
            hasSecondFactor = try row.get("has_second_factor")
        }

        static func sql(where condition: SQL) -> SQL {
            """
            SELECT u.id, u.name, u.email, u.locale, u.password_hash, u.status, u.last_company_id,
                   EXISTS (SELECT 1 FROM mfa_factors f WHERE f.user_id = u.id AND f.verified_at IS NOT NULL)
                       AS has_second_factor
              FROM users u WHERE \(fragment: condition)
            """
        }
    }

    func byPassword(_ asked: LoginRequest) async throws -> OpenedSession {
        let email = asked.email.normalized
        let attempt = try await begin(for: email)
        let account = try await parts.db.query(Account.sql(where: "u.email_norm = \(email)")).first.map(
            Account.init)
        let isRight = try await parts.passwords.isRight(asked.password.text, account?.passwordHash)
        guard let account, isRight, account.status == "active" else {
            try await attempt.failed(parts.db, at: now)
            parts.figures.logins.refused.add()
            if let account { remember(.loginFailed, account.id) }
            throw Problem.wrongCredentials
        }
        let known = try await rehashed(account, asked.password.text)
        var methods = ["password"]
        if account.hasSecondFactor {
            guard let code = asked.code?.text else {
                let problem = try await secondStep(account, after: "password", asked.companyId)
                throw problem
            }
            let method = try await prove(code, account, attempt)
            methods.append(method)
        }
        try await attempt.succeeded(parts.db)
        return try await open(known, methods: methods, company: asked.companyId)
    }

    /// The first factor is proven by another way than a password; the second is asked for where one is set up.
    func enter(_ account: Account, by method: String, code: String?, company: UUID?) async throws
        -> OpenedSession
    {
        guard account.hasSecondFactor else {
            return try await open(account, methods: [method], company: company)
        }
        guard let code else {
            let problem = try await secondStep(account, after: method, company)
            throw problem
        }
        let throttle = LoginThrottle(account: account.email.lowercased(), address: visit.address)
        let attempt = try await throttle.begin(parts.db, at: now)
        let second = try await prove(code, account, attempt)
        try await attempt.succeeded(parts.db)
        return try await open(account, methods: [method, second], company: company)
    }

    /// The second half of a login that was answered `second-step-required`.
    func bySecondStep(token: String, code: String) async throws -> OpenedSession {
        let pending = try await OneTimeToken.find(
            .secondFactor, by: .token(token), codes: parts.codes, at: now, parts.db)
        let rows = try await parts.db.query(
            Account.sql(where: "u.id = \(pending.userId) AND u.status = 'active'"))
        guard let account = try rows.first.map(Account.init) else { throw Problem(.tokenInvalid) }
        let throttle = LoginThrottle(account: account.email.lowercased(), address: visit.address)
        let attempt = try await throttle.begin(parts.db, at: now)
        let method = try await prove(code, account, attempt)
        try await parts.db.transaction { tx in try await pending.use(at: now, in: tx) }
        try await attempt.succeeded(parts.db)
        let company = pending.detail["company_id"]?.stringValue.flatMap { UUID($0) }
        let first = pending.detail["method"]?.stringValue ?? "password"
        return try await open(account, methods: [first, method], company: company)
    }

    private func begin(for email: String) async throws -> LoginThrottle.Attempt {
        do {
            return try await LoginThrottle(account: email, address: visit.address).begin(parts.db, at: now)
        } catch let problem as Problem where problem.code == .loginThrottled {
            parts.figures.logins.throttled.add()
            throw problem
        }
    }

    /// The cost of hashing may have been raised since the password was set.
    private func rehashed(_ account: Account, _ password: String) async throws -> Account {
        guard let old = account.passwordHash, parts.passwords.needsRehash(old) else { return account }
        let new = try await parts.passwords.hash(password)
        let changed = try await parts.db.query(
            "UPDATE users SET password_hash = \(new) WHERE id = \(account.id) AND password_hash = \(old) RETURNING id"
        )
        var account = account
        if !changed.isEmpty { account.passwordHash = new }
        return account
    }

    private func secondStep(_ account: Account, after method: String, _ company: UUID?) async throws
        -> Problem
    {
        let detail: JSON = [
            "company_id": company.map { .string($0.description) } ?? .null, "method": .string(method),
        ]
        let issued = OneTimeToken.issue(
            .secondFactor, user: account.id, email: account.email, life: AuthLimits.secondStep,
            detail: detail,
            codes: parts.codes, at: now)
        _ = try await parts.db.batch(issued.sql, as: .none)
        parts.figures.logins.secondStepAsked.add()
        return Problem(.secondStepRequired).challenged
            .with("mfa_token", .string(issued.token))
            .with("mfa_methods", ["totp", "recovery_code"])
            .with("expires_in", JSON(AuthLimits.secondStep.components.seconds))
    }

    /// A wrong code counts as a failed attempt, so that nobody tries them all.
    private func prove(_ code: String, _ account: Account, _ attempt: LoginThrottle.Attempt) async throws
        -> String
    {
        guard let method = try await SecondFactor.accept(code, of: account.id, visit, parts, at: now) else {
            try await attempt.failed(parts.db, at: now)
            parts.figures.logins.secondStepRefused.add()
            remember(.secondStepFailed, account.id)
            throw Problem(.invalidCode).challenged
        }
        return method
    }

    /// Written beside the answer, not before it: a row more for accounts that exist must not show in the time.
    private func remember(_ event: AuthEvent, _ user: UUID) {
        let sql = event.sql(user: user, visit)
        Task { [db = parts.db] in _ = try? await db.query(sql) }
    }
}

extension Problem {
    /// RFC 9110 section 15.5.2: every 401 names a way in.
    var challenged: Problem { header("www-authenticate", #"Bearer realm="infinity""#) }

    static let wrongCredentials = Problem(.invalidCredentials).challenged
}
