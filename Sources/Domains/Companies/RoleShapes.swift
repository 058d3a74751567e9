import API
import Wire

/// A role of a company: one of the six built-in ones, or one made of permissions picked from the catalogue.
struct Role: Codable, Sendable, FieldNotes {
    let id: UUID
    let key: String
    let name: String
    let description: String?
    let isBuiltin: Bool
    let permissions: [String]
    let memberCount: Int
    let version: Int
    let createdAt: Timestamp
    let updatedAt: Timestamp

    static let fieldNotes = [
        "key": "Stays the same when the role is renamed.",
        "permissions": "Names from GET /v1/permissions. Those of a built-in role come with the product.",
        "member_count": "How many active members hold it.",
    ]
}

struct NewRole: Codable, Sendable, FieldNotes {
    let name: Text<60>
    let description: Prose<500>?
    let permissions: UpTo<512, String>

    static let fieldNotes = [
        "permissions": "Names from GET /v1/permissions; each must be one that you hold yourself."
    ]
}

struct RoleChange: Codable, Sendable {
    let name: Text<60>?
    let description: Clearable<Prose<500>>
    let permissions: UpTo<512, String>?
}

struct RoleCopy: Codable, Sendable {
    let name: Text<60>
}

/// A role as it stands beside a member or an invitation.
struct RoleName: Codable, Sendable {
    let id: UUID
    let key: String
    let name: String
}
