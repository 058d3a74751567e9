import API
import Core
import Postgres
import Wire

/// Proving once more who one is, before something that cannot be taken back.
enum Reauthentication {
    /// The password, or a code of the second factor.
    struct Request: Codable, Sendable {
        let password: OfferedPassword?
        let code: Text<40>?
    }

    struct Answer: Codable, Sendable {
        /// Until then sensitive requests of this session are accepted.
        let provenUntil: Timestamp
    }

    @RouteList static var routes: [Route] {
        POST("/v1/auth/reauthentication", "Prove again who you are", .signedIn, prove).operation(
            "reauthenticate"
        )
        .describe("Send `password`, or `code` of a second factor. Good for a quarter of an hour.")
        .rate(.login).idempotent(.none)
        .problems(.invalidCredentials, .invalidCode, .loginThrottled, .sessionRequired)
        .example(body: ["password": "correct-horse-battery"])
    }

    static func prove(_ call: Call, _ body: Body<Request>) async throws -> Single<Answer> {
        let session = try call.session
        let parts = call.auth
        let visit = Visit(call)
        guard (body.password == nil) != (body.code == nil) else {
            throw Problem.unprocessable("", "one-of", "must have either password or code")
        }
        let rows = try await parts.db.query(SignIn.Account.sql(where: "u.id = \(session.user)"))
        guard let account = try rows.first.map(SignIn.Account.init) else { throw Problem.unauthorized }
        let throttle = LoginThrottle(account: account.email.lowercased(), address: visit.address)
        let attempt = try await throttle.begin(parts.db, at: call.now)
        guard let method = try await method(body.value, account, visit, parts, call.now) else {
            try await attempt.failed(parts.db, at: call.now)
            throw body.password == nil
                ? Problem(.invalidCode).challenged
                : Problem(.invalidCredentials, "The password is wrong.").challenged
        }
        try await attempt.succeeded(parts.db)
        _ = try await parts.db.batch(
            [
                """
                UPDATE sessions
                   SET authenticated_at = \(call.now),
                       assurance = greatest(assurance, \(method == "password" ? 1 : 2)::int)
                 WHERE id = \(session.id) AND revoked_at IS NULL
                """,
                AuthEvent.reauthenticated.sql(
                    user: session.user, session: session.id, visit, ["method": .string(method)]),
            ], as: .none)
        if method != "password" { try await AccessChange.record(user: session.user, company: nil, parts.db) }
        return Single(Answer(provenUntil: call.now + AuthLimits.reauthentication))
    }

    /// How it was proven; nil when it was not.
    private static func method(
        _ asked: Request, _ account: SignIn.Account, _ visit: Visit, _ parts: AuthParts, _ now: Timestamp
    ) async throws -> String? {
        if let password = asked.password {
            let isRight = try await parts.passwords.isRight(password.text, account.passwordHash)
            return isRight ? "password" : nil
        }
        return try await SecondFactor.accept(asked.code?.text ?? "", of: account.id, visit, parts, at: now)
    }
}

extension AccessChange {
    /// For changes that stand alone.
    static func record(user: UUID?, company: UUID?, _ db: Database) async throws {
        try await db.transaction { tx in try await record(user: user, company: company, in: tx) }
    }
}
