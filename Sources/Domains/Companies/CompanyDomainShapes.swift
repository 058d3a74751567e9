import API
import Postgres
import Wire

/// What becomes of people whose address is at a verified domain: nothing, they may ask to join, or they are let in.
enum JoinRule: String, Codable, CaseIterable, SQLBindable, RowValue, Sendable { case off, ask, auto }

enum DomainState: String, Codable, CaseIterable, SQLBindableElement, SQLBindable, Sendable {
    case pending, verified
}

/// An e-mail domain of the company, or one that it says is its own.
struct CompanyDomain: Codable, Sendable, FieldNotes {
    let id: UUID
    let domain: String
    let state: DomainState
    let recordName: String
    let recordValue: String
    let joinRule: JoinRule
    let roleId: UUID?
    let verifiedAt: Timestamp?
    let lastCheckedAt: Timestamp?
    let lastFault: String?
    let version: Int
    let createdAt: Timestamp

    static let fieldNotes = [
        "record_name": "Where the TXT record must stand.",
        "record_value": "What it must say.",
        "role_id": "The role of those who come in by it; null for the role member.",
        "last_fault": "Why the last check did not find the record.",
    ]
}

struct NewCompanyDomain: Codable, Sendable {
    let domain: DomainName
}

struct CompanyDomainChange: Codable, Sendable {
    let joinRule: JoinRule?
    let roleId: Clearable<UUID>
}

/// A company that somebody may join because of his address.
struct JoinableCompany: Codable, Sendable, FieldNotes {
    let id: UUID
    let name: String
    let logoUrl: String?
    let joinRule: JoinRule
    let hasAsked: Bool

    static let fieldNotes = ["join_rule": "auto: one is let in at once; ask: somebody decides."]
}
