import API
import Core
import Wire

/// Signing in from a page in a browser: the tokens travel in cookies that no script can read.
enum BrowserLogin {
    /// What the page needs to know of its session. `csrf_token` goes into `X-CSRF-Token` of every change.
    struct Answer: Codable, Sendable {
        let csrfToken: String
        let expiresIn: Int64
        let userId: UUID
        let sessionId: UUID
        let companyId: UUID?
    }

    struct Token: Codable, Sendable {
        let csrfToken: String
    }

    @RouteList static var routes: [Route] {
        POST("/v1/auth/browser/login", "Sign in with cookies", .open, login).operation("loginInBrowser")
            .describe(
                "As /v1/auth/login, but the tokens are set as HttpOnly cookies. Pages of other sites are refused."
            )
            .rate(.login).secret.example(body: Login.bodyExample)
            .problems(
                .invalidCredentials, .secondStepRequired, .invalidCode, .loginThrottled, .noSuchCompany,
                .csrfFailed)
        POST("/v1/auth/browser/login/mfa", "Sign in with cookies: the second step", .open, secondStep)
            .operation("completeLoginInBrowser")
            .rate(.login).secret.example(body: Login.stepExample)
            .problems(.invalidCode, .tokenInvalid, .loginThrottled, .csrfFailed)
        POST("/v1/auth/browser/refresh", "Exchange the tokens in the cookies", .open, refresh).operation(
            "refreshCookies"
        )
        .rate(.open).secret.problems(.refreshTokenInvalid, .refreshTokenReused, .csrfFailed)
        GET("/v1/auth/csrf", "The token that changes must carry when cookies sign in", .signedIn, csrf)
            .operation("getCsrfToken")
            .secret.problems(.sessionRequired)
    }

    static func login(_ call: Call, _ body: Body<LoginRequest>) async throws -> Single<Answer> {
        if let fault = call.auth.browser.foreignPage(call.request) { throw fault }
        let session = try await SignIn(call, isBrowser: true).byPassword(body.value)
        return answer(call, session)
    }

    static func secondStep(_ call: Call, _ body: Body<Login.SecondStep>) async throws -> Single<Answer> {
        if let fault = call.auth.browser.foreignPage(call.request) { throw fault }
        let signIn = SignIn(call, isBrowser: true)
        let session = try await signIn.bySecondStep(token: body.mfaToken.text, code: body.code.text)
        return answer(call, session)
    }

    static func refresh(_ call: Call) async throws -> Single<Answer> {
        let browser = call.auth.browser
        if let fault = browser.foreignPage(call.request) { throw fault }
        guard let token = browser.refreshToken(in: call.request) else {
            throw Problem(.refreshTokenInvalid, "There is no refresh cookie.").challenged
        }
        let session = try await Refresh.session(call, token, isBrowser: true)
        return answer(call, session)
    }

    static func csrf(_ call: Call) async throws -> Single<Token> {
        let session = try call.session
        let parts = call.auth
        if call.principal?.isByCookie == true {
            call.setCookie(parts.browser.csrfCookie(for: session.id, idle: parts.choices.sessionIdle))
        }
        return Single(Token(csrfToken: parts.browser.csrfToken(for: session.id)))
    }

    static func answer(_ call: Call, _ session: OpenedSession) -> Single<Answer> {
        let parts = call.auth
        let cookies = parts.browser.cookies(
            access: session.accessToken, life: parts.choices.accessTokenLife, refresh: session.refreshToken,
            idle: parts.choices.sessionIdle, session: session.id)
        for cookie in cookies { call.setCookie(cookie) }
        return Single(
            Answer(
                csrfToken: parts.browser.csrfToken(for: session.id),
                expiresIn: parts.choices.accessTokenLife.components.seconds, userId: session.userId,
                sessionId: session.id, companyId: session.companyId))
    }
}
