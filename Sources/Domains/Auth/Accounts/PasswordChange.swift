import API
import Core
import Wire

/// A new password by somebody who knows the old one. All her other sessions end.
enum PasswordChange {
    struct Request: Codable, Sendable {
        let currentPassword: OfferedPassword
        let newPassword: Password
    }

    /// What a page asks while somebody types.
    struct Check: Codable, Sendable {
        let password: Password
        let email: Email?
        let name: Text<120>?
    }

    struct Verdict: Codable, Sendable {
        let isAcceptable: Bool
        let reason: String?
    }

    @RouteList static var routes: [Route] {
        PUT("/v1/auth/password", "Change your password", .signedIn, change).operation("changePassword")
            .describe("All other sessions end; this one goes on.")
            .rate(.login).problems(.invalidCredentials, .loginThrottled, .sessionRequired)
            .example(body: [
                "current_password": "correct-horse-battery", "new_password": "four-quiet-green-harbours",
            ])
        POST("/v1/auth/password/check", "Ask whether a password would be accepted", .open, check).operation(
            "checkPassword"
        )
        .rate(.login).idempotent(.none).example(body: ["password": "correct-horse-battery"])
    }

    static func change(_ call: Call, _ body: Body<Request>) async throws -> NoContent {
        let session = try call.session
        let parts = call.auth
        let visit = Visit(call)
        let now = call.now
        let rows = try await parts.db.query(SignIn.Account.sql(where: "u.id = \(session.user)"))
        guard let account = try rows.first.map(SignIn.Account.init) else { throw Problem.unauthorized }
        let throttle = LoginThrottle(account: account.email.lowercased(), address: visit.address)
        let attempt = try await throttle.begin(parts.db, at: now)
        guard try await parts.passwords.isRight(body.currentPassword.text, account.passwordHash) else {
            try await attempt.failed(parts.db, at: now)
            throw Problem(.invalidCredentials, "The current password is wrong.").challenged
        }
        try await attempt.succeeded(parts.db)
        if body.newPassword.text == body.currentPassword.text {
            throw Problem.unprocessable(
                "/new_password", "password-unchanged", "Is the password you have already.")
        }
        try await PasswordReset.refuseWeak(
            body.newPassword.text, of: session.user, at: "/new_password", parts)
        let hash = try await parts.passwords.hash(body.newPassword.text)
        try await parts.db.transaction { tx in
            try await PasswordReset.set(
                hash, for: session.user, keeping: session.id, .passwordChanged, visit, parts, at: now, in: tx)
        }
        return NoContent()
    }

    static func check(_ call: Call, _ body: Body<Check>) async throws -> Single<Verdict> {
        let person = PasswordRules.Person(
            email: body.email?.text ?? "", names: body.name.map { [$0.text] } ?? [])
        let weakness = PasswordRules.weakness(of: body.password.text, of: person)
        if weakness == nil, let leaked = call.auth.leaked, await leaked.contains(body.password.text) {
            return Single(Verdict(isAcceptable: false, reason: AuthParts.leakedReason))
        }
        return Single(Verdict(isAcceptable: weakness == nil, reason: weakness?.reason))
    }
}
