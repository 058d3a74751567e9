import API

/// What signing in can refuse, for docs/errors.md.
extension ProblemCode {
    static let invalidCredentials = ProblemCode(
        "invalid-credentials", 401, "The e-mail address or the password is wrong",
        advice:
            "Try again or ask for a new password. The answer is the same when there is no such account and when "
            + "its address is not confirmed yet; in that case a new mail with the link is on its way.")
    static let secondStepRequired = ProblemCode(
        "second-step-required", 401, "A code of the second factor is required",
        advice:
            "Send `mfa_token` and a code of the authenticator app, or a recovery code, to /v1/auth/login/mfa; or "
            + "repeat the login with `code`.")
    static let invalidCode = ProblemCode(
        "invalid-code", 401, "The code is wrong or was used before",
        advice: "Wait for the next code of the app. Each code is taken once.")
    static let loginThrottled = ProblemCode(
        "login-throttled", 429, "Too many failed attempts to sign in",
        advice:
            "Wait for `Retry-After` seconds. Each further failure doubles the wait, up to a quarter of an hour."
    )
    static let refreshTokenInvalid = ProblemCode(
        "refresh-token-invalid", 401, "The refresh token does not work any more",
        advice: "Log in again.")
    static let refreshTokenReused = ProblemCode(
        "refresh-token-reused", 401, "The refresh token was used before",
        advice: "Somebody may have a copy, so the session was ended and its owner told. Log in again.")
    static let tokenInvalid = ProblemCode(
        "token-invalid", 422, "The link or code is wrong, used, or too old",
        advice: "Ask for a new one. Asking for a new one makes the older ones void; a code bears five tries.")
    static let impersonationRefused = ProblemCode(
        "impersonation-refused", 403, "You cannot work in this member's name",
        advice:
            "Only in the name of members who may do no more than you, and only where the company's settings allow "
            + "it.")
    static let csrfFailed = ProblemCode(
        "csrf-failed", 403, "The request may come from a foreign page",
        advice:
            "With cookies, send the token of GET /v1/auth/csrf in `X-CSRF-Token`, from a page of the same origin."
    )
    static let noSuchCompany = ProblemCode(
        "no-such-company", 404, "You are no member of such a company",
        advice: "GET /v1/companies lists the companies you can work in.")
    static let companyAccessEnded = ProblemCode(
        "company-access-ended", 403, "You are no longer an active member of the company this token is for",
        advice: "Switch to another company with POST /v1/auth/company; GET /v1/companies lists yours.")
    static let secondFactorDemanded = ProblemCode(
        "second-factor-demanded", 403, "The company demands a second factor",
        advice: "Set up an authenticator app under /v1/auth/mfa/factors and log in again with it.")
    static let addressNotAllowed = ProblemCode(
        "address-not-allowed", 403, "Not from this network address",
        advice: "The company or the API key allows certain network addresses only.")
    static let methodNotAllowedByCompany = ProblemCode(
        "login-method-not-allowed", 403, "The company does not allow this way of signing in",
        advice: "Sign in with one of the ways the company's security policy lists.")
    static let scopeNotHeld = ProblemCode(
        "scope-not-held", 422, "A key cannot do more than its maker",
        advice: "Leave out the scopes you do not hold yourself; the detail names them.")
    static let factorLimitReached = ProblemCode(
        "factor-limit-reached", 409, "No more second factors can be added", advice: "Remove one first.")
    static let factorNameTaken = ProblemCode(
        "factor-name-taken", 409, "There is a second factor of that name", advice: "Choose another name.")
    static let apiKeyLimitReached = ProblemCode(
        "api-key-limit-reached", 409, "The company has as many API keys as it may have",
        advice: "Revoke one first.")

    static let identityProviderUnavailable = ProblemCode(
        "identity-provider-unavailable", 503, "The provider does not answer as it should",
        advice: "Try again later, or sign in another way.")
    static let identityRefused = ProblemCode(
        "identity-refused", 422, "The provider's word was not taken",
        advice: "Begin again. If it stays, sign in another way; the account may be locked.")
    static let identityWithoutAddress = ProblemCode(
        "identity-without-address", 422, "The provider does not vouch for an address",
        advice:
            "Confirm the address with the provider; or sign up by e-mail here, and link the identity afterwards under "
            + "/v1/auth/identities.")
    static let identityTaken = ProblemCode(
        "identity-taken", 409, "This identity is linked to another account", advice: "Unlink it there first.")
    static let ssoNotAvailable = ProblemCode(
        "sso-not-available", 404, "No company signs people in at this domain",
        advice: "Sign in another way; an administrator of the company sets it up under /v1/sso-connections.")
    static let ssoNotAllowedIn = ProblemCode(
        "sso-not-allowed-in", 403, "The company has not let you in",
        advice: "Ask somebody in the company for an invitation.")
    static let ssoNeedsDomain = ProblemCode(
        "sso-needs-domain", 409, "No domain of the company is verified",
        advice: "Verify one under /v1/domains first: only addresses there are believed.")
    static let ssoAlreadyEnabled = ProblemCode(
        "sso-already-enabled", 409, "Another connection is enabled", advice: "Disable it first.")

    static let operatorIsYou = ProblemCode(
        "operator-is-you", 409, "You cannot do this to your own account", advice: "Ask another operator.")

    static let auth: [ProblemCode] = [
        operatorIsYou,
        identityProviderUnavailable, identityRefused, identityWithoutAddress, identityTaken, ssoNotAvailable,
        ssoNotAllowedIn, ssoNeedsDomain, ssoAlreadyEnabled,
        invalidCredentials, secondStepRequired, invalidCode, loginThrottled, refreshTokenInvalid,
        refreshTokenReused,
        tokenInvalid, reauthenticationRequired, sessionRequired, impersonationRefused, notInAnothersName,
        csrfFailed, noSuchCompany, companyAccessEnded, secondFactorDemanded,
        addressNotAllowed, methodNotAllowedByCompany, scopeNotHeld, factorLimitReached, factorNameTaken,
        apiKeyLimitReached,
    ]
}

extension Problem {
    static func tooManyLogins(seconds: Int) -> Problem {
        Problem(.loginThrottled, "Try again in \(seconds) seconds.").header("retry-after", String(seconds))
    }

    static func badToken(_ detail: String) -> Problem { .unauthorized(detail, error: "invalid_token") }
}
