import Postgres

/// The mails Infinity sends, by name, each with the values it needs.
public enum MailTemplate: String, CaseIterable, SQLBindable, Sendable {
    case verifyEmail = "verify-email"
    case magicLink = "magic-link"
    case passwordReset = "password-reset"
    case passwordChanged = "password-changed"
    case accountExists = "account-exists"
    case newDevice = "new-device"
    case reuseDetected = "reuse-detected"
    case emailChangeConfirm = "email-change-confirm"
    case emailChanged = "email-changed"
    case mfaChanged = "mfa-changed"
    case identityLinked = "identity-linked"
    case apiKeyCreated = "api-key-created"
    case impersonated
    case accountLocked = "account-locked"
    case accountDeleted = "account-deleted"
    case dataExport = "data-export"
    case dataExportFailed = "data-export-failed"
    case invitation
    case invitationAccepted = "invitation-accepted"
    case invitationMismatch = "invitation-mismatch"
    case joinRequest = "join-request"
    case joinRequestApproved = "join-request-approved"
    case roleChanged = "role-changed"
    case memberSuspended = "member-suspended"
    case memberRemoved = "member-removed"
    case clientAccessGranted = "client-access-granted"
    case ownershipTransfer = "ownership-transfer"
    case ownershipTransferred = "ownership-transferred"
    case companyDeletion = "company-deletion"
    case companyRestored = "company-restored"
    /// News whose words come with it; `link` and `unsubscribe` may be left out.
    case notification
    /// A letter of a company to somebody outside, whose words come with it.
    case letter

    /// The values a message of this kind must bring. Beside them an invitation may have its `message`, and a change of
    /// second factors says which it was.
    public var keys: [String] {
        switch self {
        case .verifyEmail, .emailChangeConfirm: ["name", "link", "code", "expires_at"]
        case .passwordReset, .magicLink: ["name", "link", "code", "expires_at", "address"]
        case .passwordChanged: ["name", "address", "at", "link"]
        case .accountExists: ["name", "link", "reset_link"]
        case .newDevice, .reuseDetected: ["name", "device", "address", "at", "link"]
        case .emailChanged: ["name", "new_email", "link"]
        case .mfaChanged: ["name", "address", "at", "link"]
        case .identityLinked: ["name", "provider", "address", "at", "link"]
        case .apiKeyCreated: ["name", "key_name", "company", "at", "link"]
        case .impersonated: ["name", "actor", "company", "at", "reason"]
        case .accountLocked: ["name", "at", "reason"]
        case .accountDeleted: ["name", "at"]
        case .dataExport: ["name", "at", "expires_at"]
        case .dataExportFailed: ["name", "at"]
        case .invitation: ["inviter", "company", "roles", "link", "expires_at"]
        case .invitationAccepted: ["name", "member", "company", "link"]
        case .invitationMismatch: ["name", "company", "invited_email", "link"]
        case .joinRequest: ["name", "requester", "company", "link"]
        case .joinRequestApproved, .clientAccessGranted, .companyRestored: ["name", "company", "link"]
        case .roleChanged: ["name", "company", "roles"]
        case .memberSuspended, .memberRemoved: ["name", "company"]
        case .ownershipTransfer: ["name", "company", "new_owner", "link", "expires_at"]
        case .ownershipTransferred: ["name", "company", "new_owner"]
        case .companyDeletion: ["name", "company", "delete_after", "link"]
        case .notification: ["name", "subject", "body"]
        case .letter: ["subject", "body", "unsubscribe"]
        }
    }
}

/// What a mail says in one language, as Mustache: paragraphs are parted by an empty line. Text and HTML are both
/// made from it, so the two can never say different things.
struct MailText: Sendable {
    let subject: String
    let body: String
    /// The label of the button that leads to `link`.
    let action: String?

    init(_ subject: String, _ body: String, action: String? = nil) {
        self.subject = subject
        self.body = body
        self.action = action
    }
}

/// The words around every mail of a language.
struct MailPhrases: Sendable {
    let greeting: String
    let code: String
    let footer: String
    let unsubscribe: String
    /// What stands behind the day of a date.
    let dayMark: String
    let months: [String]
}
