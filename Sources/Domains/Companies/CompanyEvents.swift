import Core
import Postgres
import Wire

/// What others may react to: recorded with each act, in its own transaction.
enum CompanyEvents {
    static let all = [
        companyCreated.erased, companyUpdated.erased, companyDeleted.erased, companyRestored.erased,
        memberInvited.erased, memberJoined.erased, memberRolesChanged.erased, memberSuspended.erased,
        memberRestored.erased, memberRemoved.erased, teamCreated.erased, teamUpdated.erased,
        teamDeleted.erased,
        teamMemberAdded.erased, teamMemberRemoved.erased, ownershipTransferred.erased, roleChanged.erased,
        domainVerified.erased, serviceAccountCreated.erased, serviceAccountRemoved.erased,
        memberUpdated.erased,
        accessReviewOpened.erased, accessReviewClosed.erased,
    ]

    private static let id = UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a10")!
    private static let other = UUID("0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a11")!

    struct CompanyData: Codable, Sendable {
        let companyId: UUID
        let name: String
        let slug: String?
        let deleteAfter: Timestamp?
    }

    static let companyCreated = EventType(
        "company.created", "A company was founded.",
        example: CompanyData(companyId: id, name: "Aurora Studio", slug: "aurora-studio", deleteAfter: nil))
    static let companyUpdated = EventType(
        "company.updated", "The profile or the settings of the company changed: `changed` names the fields.",
        example: CompanyUpdate(companyId: id, changed: ["name", "time_zone"]))
    static let companyDeleted = EventType(
        "company.deleted", "The company was closed; until `delete_after` an owner can restore it.",
        example: CompanyData(
            companyId: id, name: "Aurora Studio", slug: nil, deleteAfter: Timestamp("2030-01-31T00:00:00Z")))
    static let companyRestored = EventType(
        "company.restored", "An owner took the closed company back.",
        example: CompanyData(companyId: id, name: "Aurora Studio", slug: nil, deleteAfter: nil))

    struct CompanyUpdate: Codable, Sendable {
        let companyId: UUID
        let changed: [String]
    }

    struct InvitationData: Codable, Sendable {
        let invitationId: UUID
        let email: String
        let roles: [String]
    }

    static let memberInvited = EventType(
        "member.invited", "Somebody was invited by e-mail.",
        example: InvitationData(invitationId: id, email: "ada@example.com", roles: ["member"]))

    struct MemberData: Codable, Sendable {
        let memberId: UUID
        let userId: UUID
    }

    private static let person = MemberData(memberId: id, userId: other)
    static let memberJoined = EventType("member.joined", "Somebody became a member.", example: person)
    static let memberUpdated = EventType(
        "member.updated", "The title or the attributes of a member changed.", example: person)
    static let memberSuspended = EventType("member.suspended", "A member was suspended.", example: person)
    static let memberRestored = EventType(
        "member.restored", "A suspended member was let in again.", example: person)
    static let memberRemoved = EventType("member.removed", "A member left or was removed.", example: person)

    struct MemberRolesData: Codable, Sendable {
        let memberId: UUID
        let userId: UUID
        let roles: [String]
    }

    static let memberRolesChanged = EventType(
        "member.role_changed", "A member holds other roles than before.",
        example: MemberRolesData(memberId: id, userId: other, roles: ["manager"]))

    struct TeamData: Codable, Sendable {
        let teamId: UUID
        let name: String
    }

    private static let team = TeamData(teamId: id, name: "Weavers")
    static let teamCreated = EventType("team.created", "A team was made.", example: team)
    static let teamUpdated = EventType("team.updated", "A team changed.", example: team)
    static let teamDeleted = EventType("team.deleted", "A team was deleted.", example: team)

    struct TeamMemberData: Codable, Sendable {
        let teamId: UUID
        let memberId: UUID
    }

    private static let place = TeamMemberData(teamId: id, memberId: other)
    static let teamMemberAdded = EventType(
        "team.member_added", "A member was put into a team.", example: place)
    static let teamMemberRemoved = EventType(
        "team.member_removed", "A member was taken out of a team.", example: place)

    struct OwnershipData: Codable, Sendable {
        let fromMemberId: UUID
        let toMemberId: UUID
    }

    static let ownershipTransferred = EventType(
        "ownership.transferred", "The company has another owner.",
        example: OwnershipData(fromMemberId: id, toMemberId: other))

    struct RoleData: Codable, Sendable {
        let roleId: UUID
        let name: String
        let permissions: [String]
    }

    static let roleChanged = EventType(
        "role.changed", "A custom role was made or permits something else.",
        example: RoleData(roleId: id, name: "Editor", permissions: ["teams:read"]))

    struct DomainData: Codable, Sendable {
        let domainId: UUID
        let domain: String
    }

    static let domainVerified = EventType(
        "domain.verified", "A domain was proven to be the company's.",
        example: DomainData(domainId: id, domain: "example.com"))

    struct ServiceAccountData: Codable, Sendable {
        let serviceAccountId: UUID
        let name: String
    }

    private static let robot = ServiceAccountData(serviceAccountId: id, name: "Nightly export")
    static let serviceAccountCreated = EventType(
        "service_account.created", "A service account was made.", example: robot)
    static let serviceAccountRemoved = EventType(
        "service_account.removed", "A service account was removed.", example: robot)

    struct ReviewData: Codable, Sendable {
        let accessReviewId: UUID
        let name: String
    }

    private static let review = ReviewData(accessReviewId: id, name: "Autumn review")
    static let accessReviewOpened = EventType(
        "access_review.opened", "A review of who may do what was opened.", example: review)
    static let accessReviewClosed = EventType(
        "access_review.closed", "A review of who may do what was closed, and what was not kept taken away.",
        example: review)

    /// One statement for a batch.
    static func member(
        _ type: EventType<MemberData>, _ member: UUID, _ user: UUID, by actor: Audit.Actor, _ company: UUID
    ) throws -> SQL {
        try Events.sql(
            type, MemberData(memberId: member, userId: user), on: "member", member, by: actor,
            company: company)
    }

    static func team(
        _ type: EventType<TeamData>, _ id: UUID, _ name: String, by actor: Audit.Actor, _ company: UUID
    )
        throws -> SQL
    {
        try Events.sql(type, TeamData(teamId: id, name: name), on: "team", id, by: actor, company: company)
    }

    static func company(
        _ type: EventType<CompanyData>, _ id: UUID, _ name: String, slug: String? = nil,
        deleteAfter: Timestamp? = nil,
        by actor: Audit.Actor
    ) throws -> SQL {
        try Events.sql(
            type, CompanyData(companyId: id, name: name, slug: slug, deleteAfter: deleteAfter), on: "company",
            id,
            by: actor, company: id)
    }
}
