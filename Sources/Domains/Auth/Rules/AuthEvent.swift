import Postgres
import Wire

/// What a person may read about her own account later: one row, written with the act itself.
enum AuthEvent: String, CaseIterable, Codable, Sendable {
    case signedUp = "signed_up"
    case emailVerified = "email_verified"
    case emailChangeAsked = "email_change_asked"
    case emailChanged = "email_changed"
    case loginSucceeded = "login_succeeded"
    case loginFailed = "login_failed"
    case magicLinkAsked = "magic_link_asked"
    case secondStepFailed = "second_step_failed"
    case reauthenticated
    case newDevice = "new_device"
    case loggedOut = "logged_out"
    case sessionRevoked = "session_revoked"
    case refreshTokenReused = "refresh_token_reused"
    case companySwitched = "company_switched"
    case passwordChanged = "password_changed"
    case passwordResetAsked = "password_reset_asked"
    case passwordReset = "password_reset"
    case impersonated
    case accountLocked = "account_locked"
    case accountUnlocked = "account_unlocked"
    case accountChanged = "account_changed"
    case passwordResetDemanded = "password_reset_demanded"
    case accountDeleted = "account_deleted"
    case factorAdded = "factor_added"
    case factorRemoved = "factor_removed"
    case recoveryCodesMade = "recovery_codes_made"
    case recoveryCodeUsed = "recovery_code_used"
    case identityLinked = "identity_linked"
    case identityUnlinked = "identity_unlinked"
    case apiKeyMade = "api_key_made"
    case apiKeyRotated = "api_key_rotated"
    case apiKeyRevoked = "api_key_revoked"

    func sql(
        user: UUID, session: UUID? = nil, company: UUID? = nil, _ visit: Visit, _ detail: JSON = [:]
    ) -> SQL {
        """
        INSERT INTO auth_events (id, user_id, session_id, company_id, kind, address, user_agent, detail, request_id)
        VALUES (\(UUID.v7()), \(user), \(session), \(company), \(self), \(visit.place), \(visit.userAgent),
                \(JSONText(detail.description)), \(visit.requestId))
        """
    }
}

extension AuthEvent: SQLBindable {}
