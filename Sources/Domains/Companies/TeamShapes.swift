import API
import Postgres
import Wire

/// A group of people inside a company.
struct Team: Codable, Sendable {
    let id: UUID
    let name: String
    let description: String?
    let color: String?
    let memberCount: Int
    let version: Int
    let createdAt: Timestamp
    let updatedAt: Timestamp
}

struct NewTeam: Codable, Sendable {
    let name: Text<60>
    let description: Prose<500>?
    let color: Color?
}

struct TeamChange: Codable, Sendable {
    let name: Text<60>?
    let description: Clearable<Prose<500>>
    let color: Clearable<Color>
}

/// A team as it stands beside a member.
struct TeamName: Codable, Sendable {
    let id: UUID
    let name: String
}

struct TeamMember: Codable, Sendable {
    let memberId: UUID
    let userId: UUID
    let name: String
    let email: String?
    let status: MemberStatus
    let isLead: Bool
    let addedAt: Timestamp
}

struct NewTeamMember: Codable, Sendable {
    let memberId: UUID
    let isLead: Bool?
}

struct TeamMemberChange: Codable, Sendable {
    let isLead: Bool?
}
