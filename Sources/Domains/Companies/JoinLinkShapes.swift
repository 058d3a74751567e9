import API
import Postgres
import Wire

struct JoinLink: Codable, Sendable {
    let id: UUID
    let name: String
    let role: RoleName
    let team: TeamName?
    let emailDomain: String?
    let needsApproval: Bool
    let uses: Int
    let usesMax: Int?
    let expiresAt: Timestamp
    let revokedAt: Timestamp?
    let createdBy: UUID
    let createdAt: Timestamp
}

struct NewJoinLink: Codable, Sendable, FieldNotes {
    let name: Text<60>
    let roleId: UUID?
    let teamId: UUID?
    let emailDomain: DomainName?
    let needsApproval: Bool?
    let usesMax: Whole<1, 10_000>?
    let expiresInDays: Whole<1, 90>?

    static let fieldNotes = [
        "role_id": "Left out: the built-in role member. You can give only what you hold yourself.",
        "email_domain": "Only addresses at this domain may use the link.",
        "needs_approval": "The link asks to join instead of letting in.",
        "expires_in_days": "Left out: seven days.",
    ]
}

/// A link just made: the only answer that ever carries its secret.
struct NewJoinLinkSecret: Codable, Sendable {
    let id: UUID
    let token: String
    let url: String
    let expiresAt: Timestamp
}

enum JoinOutcome: String, Codable, CaseIterable, Sendable { case joined, asked }

struct JoinResult: Codable, Sendable {
    let outcome: JoinOutcome
    let companyId: UUID
    let memberId: UUID?
    let requestId: UUID?
}

enum JoinRequestState: String, Codable, CaseIterable, SQLBindable, RowValue, Sendable {
    case pending, approved, denied
}

struct JoinRequest: Codable, Sendable {
    let id: UUID
    let userId: UUID
    let name: String
    let email: String?
    /// The link it was asked by; null when the address's domain was the ground.
    let linkId: UUID?
    let linkName: String?
    let domain: String?
    let state: JoinRequestState
    let decidedBy: UUID?
    let decidedAt: Timestamp?
    let createdAt: Timestamp
}

/// A domain name, as stands behind the @ of an address.
struct DomainName: TextValue, SQLBindable {
    let text: String
    init(unchecked text: String) { self.text = text }

    static var rule: TextRule {
        TextRule(length: 3...253) { Email("a@\($0)") == nil ? "is no domain name like example.com" : nil }
    }
    static var exampleText: String { "example.com" }
    static func tidied(_ text: String) -> String { text.lowercased() }
}
