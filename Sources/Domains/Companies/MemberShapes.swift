import API
import Postgres
import Wire

enum MemberStatus: String, Codable, CaseIterable, SQLBindable, SQLBindableElement, RowValue, Sendable {
    case active, suspended, removed
}

/// A person in a company.
struct Member: Codable, Sendable, FieldNotes {
    let id: UUID
    let userId: UUID
    let name: String
    let email: String?
    let avatarUrl: String?
    let title: String?
    let status: MemberStatus
    let roles: [RoleName]
    let teams: [TeamName]
    let attributes: JSON
    let viaCompanyId: UUID?
    let joinedAt: Timestamp
    let lastActiveOn: LocalDate?
    let suspendedAt: Timestamp?
    let removedAt: Timestamp?
    let version: Int
    let updatedAt: Timestamp

    static let fieldNotes = [
        "last_active_on":
            "The last day on which the person used any permission here, also by an API key; null when never.",
        "via_company_id": "The agency whose staff this person belongs to, when in here by its grant.",
        "attributes": "What the company keeps about its people: see GET /v1/member-attributes.",
    ]
}

struct MemberChange: Codable, Sendable, FieldNotes {
    let title: Clearable<Text<120>>
    let attributes: [String: JSON]?

    static let fieldNotes = ["attributes": "Merged into the present ones; a value of null takes one away."]
}

struct MemberRoles: Codable, Sendable {
    let roleIds: UpTo<20, UUID>
}

/// What a member has in hand, for whoever takes it over.
struct Handover: Codable, Sendable {
    struct Item: Codable, Sendable {
        let kind: String
        let count: Int
        /// Whether it can be given to another member as it is.
        let canMove: Bool
        let note: String
    }

    let memberId: UUID
    let isLastOwner: Bool
    let items: [Item]
}
