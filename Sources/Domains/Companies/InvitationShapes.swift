import API
import Postgres
import Wire

/// Where an invitation stands; `expired` is a pending one whose time is over.
enum InvitationState: String, Codable, CaseIterable, RowValue, Sendable {
    case pending, accepted, declined, revoked, superseded, expired
}

struct Invitation: Codable, Sendable, FieldNotes {
    let id: UUID
    let email: String
    let name: String?
    let message: String?
    let state: InvitationState
    let roles: [RoleName]
    let teams: [TeamName]
    let invitedBy: UUID
    let inviterName: String?
    let expiresAt: Timestamp
    let timesSent: Int
    let lastSentAt: Timestamp
    let openedAt: Timestamp?
    let mismatchedAt: Timestamp?
    let redirectEmail: String?
    let redirectAskedAt: Timestamp?
    let decidedAt: Timestamp?
    let memberId: UUID?
    let version: Int
    let createdAt: Timestamp

    static let fieldNotes = [
        "opened_at": "When the link was first looked at.",
        "redirect_email": "The account whose owner asks to be invited at this address instead.",
        "mismatched_at": "When somebody with another address last tried to accept it.",
    ]
}

struct NewInvitation: Codable, Sendable, FieldNotes {
    let email: Email
    let name: Text<120>?
    let roleIds: UpTo<20, UUID>?
    let teamIds: UpTo<20, UUID>?
    let message: Prose<500>?
    let expiresInDays: Whole<1, 30>?

    static let fieldNotes = [
        "role_ids": "Left out: the built-in role member. You can give only what you hold yourself.",
        "expires_in_days": "Left out: seven days.",
    ]
}

struct NewInvitations: Codable, Sendable {
    let invitations: UpTo<100, NewInvitation>
    /// Only say what would become of each.
    let dryRun: Bool?
}

/// What may change while nobody has answered.
struct InvitationChange: Codable, Sendable, FieldNotes {
    let roleIds: UpTo<20, UUID>?
    let teamIds: UpTo<20, UUID>?
    let expiresInDays: Whole<1, 30>?

    static let fieldNotes = ["expires_in_days": "Counted from now."]
}

/// What became of one row of a bulk invitation.
struct InvitationResult: Codable, Sendable {
    let row: Int
    let email: String
    let invitationId: UUID?
    let code: String?
    let detail: String?
}

struct InvitationResults: Codable, Sendable {
    /// Nothing was kept and nobody mailed; the rest says what would have been.
    let isDryRun: Bool
    let sent: Int
    let refused: Int
    let results: [InvitationResult]
}

struct TokenInput: Codable, Sendable {
    let token: Text<128>
}

/// What somebody who holds the link may see before deciding.
struct InvitationPreview: Codable, Sendable {
    let companyId: UUID
    let companyName: String
    let companyLogoUrl: String?
    let inviterName: String?
    let email: String
    let message: String?
    let roles: [RoleName]
    let state: InvitationState
    let expiresAt: Timestamp
    /// Whether the address already belongs to an account: sign in rather than sign up.
    let hasAccount: Bool
}

struct Joined: Codable, Sendable {
    let companyId: UUID
    let memberId: UUID
}
