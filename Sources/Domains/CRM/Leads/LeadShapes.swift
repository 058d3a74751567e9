import API
import Core
import Postgres
import Wire

enum LeadStatus: String, Codable, CaseIterable, SQLBindable, SQLBindableElement, RowValue, Sendable {
    case new, working, qualified, converted, disqualified

    /// A conversion is the only way to `converted`, and there is none back from it; who was disqualified is reopened first.
    func mayBecome(_ other: LeadStatus) -> Bool {
        switch (self, other) {
        case (.new, .working), (.new, .qualified), (.new, .disqualified), (.working, .qualified),
            (.working, .disqualified),
            (.qualified, .working), (.qualified, .disqualified), (.disqualified, .working):
            true
        default: false
        }
    }

    var isOpen: Bool { self == .new || self == .working || self == .qualified }
}

struct Lead: Codable, Sendable, FieldNotes {
    let id: UUID
    let title: String
    let message: String?
    let status: LeadStatus
    let contactId: UUID
    let contactName: String
    let contactEmail: String?
    let contactPhone: String?
    let clientId: UUID?
    let clientName: String?
    let ownerId: UUID?
    let sourceId: UUID?
    let sourceName: String?
    let score: Int
    let valueMinor: Int64?
    let currency: String?
    let country: String?
    let utm: JSON
    let custom: JSON
    let tagIds: [UUID]
    let externalId: String?
    let ruleId: UUID?
    let assignedAt: Timestamp?
    let firstResponseAt: Timestamp?
    let slaDueAt: Timestamp?
    let slaBreachedAt: Timestamp?
    let isArchived: Bool
    let disqualifiedFor: String?
    let disqualifiedAt: Timestamp?
    let convertedAt: Timestamp?
    let version: Int
    let createdAt: Timestamp
    let updatedAt: Timestamp

    static let fieldNotes = [
        "value_minor": "Null without crm:amounts.", "contact_email": "Null without crm:contact-data.",
        "contact_phone": "Null without crm:contact-data.",
        "client_name": "What the person calls the company.",
        "rule_id": "The assignment rule that chose its owner.",
        "sla_due_at": "By when somebody is to have answered.",
    ]
}

/// A person as a lead brings him along.
struct LeadPerson: Codable, Sendable {
    let name: Text<200>?
    let firstName: Text<100>?
    let lastName: Text<100>?
    let email: Email?
    let phone: Text<40>?
    let jobTitle: Text<120>?
}

struct NewLead: Codable, Sendable, FieldNotes {
    let title: Text<200>?
    let message: Prose<20_000>?
    let contactId: UUID?
    let contact: LeadPerson?
    let clientName: Text<200>?
    let clientId: UUID?
    let ownerId: UUID?
    let sourceId: UUID?
    let valueMinor: Cents?
    let currency: CurrencyCode?
    let country: CountryCode?
    let utm: LeadUTM?
    let custom: [String: JSON]?
    let tagIds: UpTo<30, UUID>?
    let externalId: Text<200>?

    static let fieldNotes = [
        "contact_id": "Or `contact`: the person is found by address or number, else made.",
        "owner_id": "Without one the assignment rules choose.",
    ]
}

struct LeadUTM: Codable, Sendable {
    let source: Text<200>?
    let medium: Text<200>?
    let campaign: Text<200>?
    let term: Text<200>?
    let content: Text<200>?

    var json: JSON { (try? JSON(encoding: self))?.withoutNulls ?? [:] }
}

struct LeadChange: Codable, Sendable {
    let title: Text<200>?
    let message: Clearable<Prose<20_000>>
    let clientName: Clearable<Text<200>>
    let clientId: Clearable<UUID>
    let ownerId: Clearable<UUID>
    let sourceId: Clearable<UUID>
    let valueMinor: Clearable<Cents>
    let currency: Clearable<CurrencyCode>
    let country: Clearable<CountryCode>
    let custom: [String: JSON]?
    let tagIds: UpTo<30, UUID>?
    let externalId: Clearable<Text<200>>
    let isArchived: Bool?
}

/// Two letters of ISO 3166.
struct CountryCode: TextValue, SQLBindable {
    let text: String
    init(unchecked text: String) { self.text = text }
    static var rule: TextRule {
        TextRule(length: 2...2, pattern: "^[A-Z]{2}$") { text in
            text.utf8.allSatisfy { (0x41...0x5A).contains($0) }
                ? nil : "must be two capital letters of ISO 3166"
        }
    }
    static var exampleText: String { "DE" }
}

extension JSON {
    /// An object without the members that are null.
    var withoutNulls: JSON {
        guard case .object(let object) = self else { return self }
        var kept = Object()
        for (key, value) in object.members where !value.isNull { kept[key] = value }
        return .object(kept)
    }
}

enum LeadExamples {
    static let id: JSON = "0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a40"
    static let person: JSON = "0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a41"
    static let member: JSON = "0197e3a0-8f6c-7c21-9f0e-2b1f4f6f7a42"

    static let newLead: JSON = [
        "title": "New shop", "contact": ["name": "Anna Berg", "email": "anna@northwind.example"],
        "client_name": "Northwind", "country": "DE", "utm": ["source": "newsletter", "campaign": "spring"],
    ]

    static let lead: JSON = [
        "id": id, "title": "New shop", "message": nil, "status": "new", "contact_id": person,
        "contact_name": "Anna Berg",
        "contact_email": "anna@northwind.example", "contact_phone": nil, "client_id": nil,
        "client_name": "Northwind",
        "owner_id": member, "source_id": nil, "source_name": nil, "score": 40, "value_minor": 250_000,
        "currency": "EUR",
        "country": "DE", "utm": ["source": "newsletter", "campaign": "spring"], "custom": [:], "tag_ids": [],
        "external_id": nil, "rule_id": nil, "assigned_at": "2026-11-24T09:30:00.000000Z",
        "first_response_at": nil,
        "sla_due_at": "2026-11-24T10:30:00.000000Z", "sla_breached_at": nil, "is_archived": false,
        "disqualified_for": nil, "disqualified_at": nil, "converted_at": nil, "version": 1,
        "created_at": "2026-11-24T09:30:00.000000Z", "updated_at": "2026-11-24T09:30:00.000000Z",
    ]
}
