import API
import Core
import Wire

/// The tokens of a session. The refresh token works once; keep the one that came last.
struct LoginAnswer: Codable, Sendable {
    let accessToken: String
    let tokenType: String
    let expiresIn: Int64
    let refreshToken: String
    let userId: UUID
    let sessionId: UUID
    /// The company the access token is for; null for somebody who is in none yet.
    let companyId: UUID?

    init(_ session: OpenedSession, _ parts: AuthParts) {
        accessToken = session.accessToken
        tokenType = "Bearer"
        expiresIn = parts.choices.accessTokenLife.components.seconds
        refreshToken = session.refreshToken
        userId = session.userId
        sessionId = session.id
        companyId = session.companyId
    }
}

/// Signing in with e-mail and password, with a second step where one is set up.
enum Login {
    struct SecondStep: Codable, Sendable {
        let mfaToken: Text<100>
        /// Six digits of the authenticator app, or a recovery code.
        let code: Text<40>
    }

    static let bodyExample: JSON = ["email": "ada@example.com", "password": "correct-horse-battery"]
    static let stepExample: JSON = [
        "mfa_token": "kU2m4CwVTb0oNpV0C6H1fZL7o8rXjq5cWnqYpT3sE9A", "code": "492039",
    ]

    @RouteList static var routes: [Route] {
        POST("/v1/auth/login", "Sign in", .open, login).operation("login")
            .describe(
                "Answers 401 `second-step-required` with an `mfa_token` when the account has a second factor and no "
                    + "`code` was sent."
            )
            .rate(.login).secret.example(body: bodyExample)
            .problems(.invalidCredentials, .secondStepRequired, .invalidCode, .loginThrottled, .noSuchCompany)
        POST("/v1/auth/login/mfa", "Sign in: the second step", .open, secondStep).operation("completeLogin")
            .rate(.login).secret.example(body: stepExample)
            .problems(.invalidCode, .tokenInvalid, .loginThrottled)
    }

    static func login(_ call: Call, _ body: Body<LoginRequest>) async throws -> Single<LoginAnswer> {
        let session = try await SignIn(call).byPassword(body.value)
        return Single(LoginAnswer(session, call.auth))
    }

    static func secondStep(_ call: Call, _ body: Body<SecondStep>) async throws -> Single<LoginAnswer> {
        let session = try await SignIn(call).bySecondStep(token: body.mfaToken.text, code: body.code.text)
        return Single(LoginAnswer(session, call.auth))
    }
}
