import Core

extension AuthDomain {
    public static let personalData: [PersonalData] = [
        PersonalData(
            "refresh_tokens", "The chain of each session's tokens, as digests",
            of: .rows { subject in
                subject.user.map { "t.session_id IN (SELECT s.id FROM sessions s WHERE s.user_id = \($0))" }
            }, erase: .delete),
        PersonalData(
            "sessions", "Devices, addresses and times of sign-ins", of: .user("user_id"),
            .user("impersonator_id"),
            erase: .delete),
        PersonalData("known_devices", "Digests of devices used before", of: .user("user_id"), erase: .delete),
        PersonalData(
            "one_time_tokens", "Links and codes that were sent", of: .user("user_id"), hiding: ["detail"],
            erase: .delete),
        PersonalData("mfa_factors", "Authenticator apps", of: .user("user_id"), erase: .delete),
        PersonalData(
            "permission_uses", "Which permissions somebody used, on which day last",
            of: .rows { subject in
                subject.user.map { user in
                    """
                    t.member_id IN (SELECT m.id FROM memberships m
                                     WHERE m.company_id = t.company_id AND m.user_id = \(user))
                    """
                }
            }, erase: .delete),
        PersonalData("recovery_codes", "Recovery codes, as digests", of: .user("user_id"), erase: .delete),
        PersonalData(
            "identities", "Accounts elsewhere by which somebody signs in", of: .user("user_id"),
            erase: .delete),
        PersonalData(
            "login_flows", "Ways to a provider that are under way", of: .user("user_id"),
            hiding: ["nonce", "verifier_sealed", "holder_sha256", "state_sha256"], erase: .delete),
        PersonalData(
            "signups", "Requests for an account", of: .email("email_norm"), hiding: ["password_hash"],
            erase: .delete),
        PersonalData(
            "api_keys", "Keys made for programs, and where they were used from", of: .user("created_by"),
            // The keys of a service account are the company's and go on.
            erase: .blank(
                """
                revoked_at = CASE WHEN acts_as IS NULL THEN coalesce(revoked_at, now()) ELSE revoked_at END,
                last_used_from = NULL
                """)),
        PersonalData(
            "auth_events", "What happened around signing in: times, addresses, programs",
            of: .user("user_id"),
            erase: .keep(
                "The record by which misuse of an account is found. It names the account by its id alone and ends "
                    + "with its retention.")),
        PersonalData(
            "users", "Name, address and settings", of: .user("id"), hiding: ["password_hash"],
            erase: .blank(
                """
                status = 'deleted', email = NULL, email_norm = NULL, name = 'Deleted user', password_hash = NULL,
                avatar_url = NULL, last_company_id = NULL, lock_reason = NULL, locale = 'en', time_zone = 'UTC'
                """)),
        .none("sso_connections", "companies' own providers"),
        .none("api_key_hashes", "which company a key's digest belongs to"),
        .none("signing_keys", "the keys that sign access tokens"),
        .none("login_throttles", "keyed digests of failed attempts, forgotten after hours"),
    ]

    public static let sealed = [
        SealedColumn("mfa_factors", "secret_sealed", key: "id") { "second factor \($0)" },
        SealedColumn("signing_keys", "private_sealed", key: "kid") { "signing key \($0)" },
        SealedColumn("login_flows", "verifier_sealed", key: "id") { "login flow \($0)" },
        SealedColumn("sso_connections", "client_secret_sealed", key: "id", isTenants: true) {
            "sso connection \($0)"
        },
    ]

    public static let retention: [RetentionClass] = [
        RetentionClass(
            "sessions", "Sessions that have ended", table: "sessions", since: "expires_at", days: 30,
            isSweptElsewhere: true),
        RetentionClass(
            "signups", "Requests for an account", table: "signups", since: "expires_at", days: 30,
            isSweptElsewhere: true),
        RetentionClass(
            "sign_in_links", "Links and codes that were sent", table: "one_time_tokens", since: "expires_at",
            days: 30, isSweptElsewhere: true),
        RetentionClass(
            "auth_events", "The record around signing in", table: "auth_events", since: "at", days: 400,
            needsOwner: true),
    ]
}
