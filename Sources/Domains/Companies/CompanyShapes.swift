import API
import Postgres
import Wire

enum CompanyStatus: String, Codable, CaseIterable, Sendable { case active, suspended, deleting, deleted }

/// A company's profile.
struct Company: Codable, Sendable, FieldNotes {
    let id: UUID
    let parentCompanyId: UUID?
    let slug: String
    let name: String
    let legalName: String?
    let description: String?
    let website: String?
    let status: CompanyStatus
    let deleteAfter: Timestamp?
    let timeZone: String
    let locale: String
    let currency: String
    let logoUrl: String?
    let brandColor: String?
    let version: Int
    let createdAt: Timestamp
    let updatedAt: Timestamp

    static let fieldNotes = [
        "parent_company_id": "The agency whose client this company is.",
        "delete_after": "Until then an owner can restore it.",
    ]
}

/// A company as it stands in the list of one's own.
struct OwnCompany: Codable, Sendable {
    let id: UUID
    let slug: String
    let name: String
    let status: CompanyStatus
    let logoUrl: String?
    let parentCompanyId: UUID?
    let memberId: UUID
    let memberStatus: MemberStatus
    let viaCompanyId: UUID?
    let joinedAt: Timestamp
    let deleteAfter: Timestamp?
}

struct NewCompany: Codable, Sendable {
    let name: Text<120>
    let timeZone: TimeZoneName?
    let locale: LocaleName?
}

struct CompanyChange: Codable, Sendable {
    let name: Text<120>?
    let slug: Slug?
    let legalName: Clearable<Text<200>>
    let description: Clearable<Prose<2000>>
    let website: Clearable<WebURL>
    let logoUrl: Clearable<WebURL>
    let brandColor: Clearable<Color>
}

struct CompanyDeletion: Codable, Sendable, FieldNotes {
    let confirmSlug: Text<60>

    static let fieldNotes = ["confirm_slug": "The company's slug, to show that you mean this one."]
}

struct CompanySettings: Codable, Sendable, FieldNotes {
    let timeZone: String
    let locale: String
    let currency: String
    let weekStartsOn: Int
    let allowsImpersonation: Bool
    let version: Int

    static let fieldNotes = [
        "week_starts_on": "1 is Monday, 7 is Sunday.",
        "allows_impersonation": "Whether support may look at this company in a member's name.",
    ]
}

struct CompanySettingsChange: Codable, Sendable {
    let timeZone: TimeZoneName?
    let locale: LocaleName?
    let currency: CurrencyCode?
    let weekStartsOn: Whole<1, 7>?
    let allowsImpersonation: Bool?
}

struct WorkingCalendar: Codable, Sendable, FieldNotes {
    struct Holiday: Codable, Sendable {
        let on: LocalDate
        let name: Text<120>
    }

    let workingDays: UpTo<7, Whole<1, 7>>
    let holidays: UpTo<366, Holiday>

    static let fieldNotes = ["working_days": "1 is Monday, 7 is Sunday."]
}

enum LoginMethod: String, Codable, CaseIterable, SQLBindableElement, Sendable {
    case password
    case magicLink = "magic_link"
    case social, sso
}

/// What the company asks of everybody who signs in to it.
struct SecurityPolicy: Codable, Sendable, FieldNotes {
    let mfaRequired: Bool
    let loginMethods: [LoginMethod]
    let sessionIdleMinutes: Whole<5, 43_200>?
    let sessionMaxHours: Whole<1, 8760>?
    let ipAllowList: UpTo<100, AddressRangeText>
    let apiKeyMaxDays: Whole<1, 3650>?
    let oneSession: Bool?

    static let fieldNotes = [
        "one_session": "Signing in to the company ends the person's other sessions.",
        "session_idle_minutes": "A session unused for so long ends; null leaves it to the installation.",
        "ip_allow_list": "Addresses and ranges from which alone the company can be entered; empty means any.",
    ]
}

struct CompanyUsage: Codable, Sendable {
    let seatsUsed: Int
    let seatLimit: Int
    let pendingInvitations: Int
    let suspendedMembers: Int
    let teams: Int
    let customRoles: Int
    let clientCompanies: Int
}

struct ClientCompany: Codable, Sendable {
    let id: UUID
    let slug: String
    let name: String
    let status: CompanyStatus
    let logoUrl: String?
    let staffCount: Int
    let createdAt: Timestamp
}

struct ClientAccessGrant: Codable, Sendable {
    let memberId: UUID
    let roleKeys: UpTo<10, Text<60>>
}

struct ClientStaff: Codable, Sendable {
    let memberId: UUID
    let userId: UUID
    let name: String
    let email: String?
    let clientMemberId: UUID
    let grantedBy: UUID?
    let createdAt: Timestamp
}

struct OwnershipTransfer: Codable, Sendable {
    let id: UUID
    let fromMemberId: UUID
    let toMemberId: UUID
    let toName: String
    let state: String
    let expiresAt: Timestamp
    let createdAt: Timestamp
}

struct NewOwnershipTransfer: Codable, Sendable {
    let memberId: UUID
}
