import API
import Core
import Loop
import Postgres
import Telemetry
import Wire

/// Signing in: people, their sessions, second factors and passwords, and the API keys of programs.
///
/// Owns users, sessions, refresh_tokens, known_devices, signups, one_time_tokens, mfa_factors, recovery_codes,
/// api_keys, api_key_hashes, signing_keys, login_throttles, permission_uses and auth_events. Asks Companies to found a company, to
/// accept an invitation and to let somebody leave; reads memberships and security policies to tell what a token allows.
public enum AuthDomain: Domain {
    public static let name = "Auth"
    public static let summary = "Signing up and in, sessions, second factors, API keys"

    @RouteList public static var routes: [Route] {
        Signup.routes
        EmailVerification.routes
        Login.routes
        MagicLink.routes
        Refresh.routes
        Sessions.routes
        BrowserLogin.routes
        CompanySwitch.routes
        Impersonation.routes
        Reauthentication.routes
        PasswordReset.routes
        PasswordChange.routes
        NotMe.routes
        Me.routes
        MyAvatar.routes
        EmailChange.routes
        Factors.routes
        RecoveryCodes.routes
        SecurityEvents.routes
        SocialLogin.routes
        Identities.routes
        SSOLogin.routes
        SSOConnections.routes
        APIKeys.routes
        JWKS.routes
        AccountPages.routes
        AdminUsers.routes
        AdminLocks.routes
        AdminEvents.routes
        Support.routes
    }

    public static let permissions: [Permission] = [
        .apiKeysRead, .apiKeysWrite, .membersImpersonate, .ssoWrite,
    ]
    public static let events = AuthEvents.all
    public static let problems: [ProblemCode] = ProblemCode.auth

    public static let constraints: [ConstraintProblem] = [
        // Two who confirm the same address at once: the later one's link is void.
        ConstraintProblem("users_email_norm_key", .tokenInvalid),
        // Two who bring one identity at once.
        ConstraintProblem("identities_subject_key", .identityTaken),
        ConstraintProblem("sso_connections_one_enabled", .ssoAlreadyEnabled, pointer: "/is_enabled"),
        ConstraintProblem("mfa_factors_name_key", .factorNameTaken, pointer: "/name"),
    ]

    public static let handovers: [HandoverPart] = [
        HandoverPart("api_keys", "They stop with the membership; a service account's key would have gone on.")
        { who in
            """
            SELECT count(*) AS count FROM api_keys
             WHERE company_id = \(who.company) AND created_by = \(who.user) AND acts_as IS NULL AND revoked_at IS NULL
            """
        }
    ]

    public static var workers: [Worker] { Housekeeping.workers }

    public static func start(_ environment: inout Environment) async throws {
        environment.set(AccountErasing.port)
        environment.set(RecentProof { call in try await call.requireRecentProof() })
        environment.set(serviceUsers)
        environment.set(
            AuthParts(
                try AuthParts.Choices(environment[Settings.self]), database: environment[Database.self],
                loops: environment[LoopGroup.self], metrics: environment.find(Metrics.self) ?? Metrics()))
    }
}
