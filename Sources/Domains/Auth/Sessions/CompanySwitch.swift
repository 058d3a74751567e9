import API
import Core
import Postgres
import Wire

/// Working in another company without signing in again. The access tokens given out before stay what they are.
enum CompanySwitch {
    struct Request: Codable, Sendable {
        let companyId: UUID
    }

    struct Answer: Codable, Sendable {
        let accessToken: String
        let tokenType: String
        let expiresIn: Int64
        let companyId: UUID
    }

    @RouteList static var routes: [Route] {
        POST("/v1/auth/company", "Switch to another company", .signedIn, change).operation("switchCompany")
            .describe(
                "Answers with an access token for that company; the refresh token stays the same and follows. With "
                    + "cookies the access cookie is exchanged."
            )
            .secret.problems(.noSuchCompany, .sessionRequired, .secondFactorDemanded, .addressNotAllowed)
            .example(body: ["company_id": "0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a10"])
    }

    static func change(_ call: Call, _ body: Body<Request>) async throws -> Single<Answer> {
        let session = try call.session
        let parts = call.auth
        let company = body.companyId
        let now = call.now
        let answers = try await parts.db.batch(
            [
                MemberAccess.sql(user: session.user, company: company), CompanyPolicy.sql(company),
                "SELECT assurance, methods, created_at, last_used_at FROM sessions WHERE id = \(session.id)",
            ], as: Tenant(company: company, user: session.user))
        guard try MemberAccess(rows: answers[0]) != nil, let row = answers[2].first else {
            throw Problem(.noSuchCompany)
        }
        let policy = try CompanyPolicy(answers[1])
        if let refusal = policy.refusal(
            of: try PolicySession(row), from: call.request.clientAddress, at: now)
        {
            throw refusal
        }
        let visit = Visit(call)
        _ = try await parts.db.batch(
            [
                "UPDATE sessions SET company_id = \(company) WHERE id = \(session.id) AND revoked_at IS NULL",
                "UPDATE users SET last_company_id = \(company) WHERE id = \(session.user)",
                AuthEvent.companySwitched.sql(
                    user: session.user, session: session.id, company: company, visit),
            ], as: .none)
        if policy.hasOneSession { try await OneSession.keep(session.id, of: session.user, at: now, parts.db) }
        let access = try parts.tokens.make(user: session.user, session: session.id, company: company, at: now)
        if call.principal?.isByCookie == true {
            call.setCookie(parts.browser.accessCookie(access, life: parts.choices.accessTokenLife))
        }
        return Single(
            Answer(
                accessToken: access, tokenType: "Bearer",
                expiresIn: parts.choices.accessTokenLife.components.seconds, companyId: company))
    }
}
