import API
import Wire

/// A company that buys, or may.
struct ClientRecord: Codable, Sendable, FieldNotes {
    let id: UUID
    let name: String
    let domain: String?
    let website: String?
    let phone: String?
    let industry: String?
    let employees: Int?
    let description: String?
    let lifecycle: ClientLifecycle
    let ownerId: UUID?
    let tagIds: [UUID]
    let custom: JSON
    let archivedAt: Timestamp?
    let createdBy: UUID?
    let version: Int
    let createdAt: Timestamp
    let updatedAt: Timestamp

    static let fieldNotes = [
        "domain": "The host of the website without `www.`: it is one client's alone.",
        "phone": "Null without crm:contact-data.", "owner_id": "The member who looks after the client.",
    ]

    static let example: JSON = [
        "id": .string(ContactEvents.otherId.description), "name": "Northwind", "domain": "northwind.example",
        "website": "https://www.northwind.example", "phone": nil, "industry": "Retail", "employees": 120,
        "description": nil,
        "lifecycle": "prospect", "owner_id": nil, "tag_ids": [], "custom": [:], "archived_at": nil,
        "created_by": nil,
        "version": 1, "created_at": "2026-03-02T09:00:00.000000Z",
        "updated_at": "2026-03-02T09:00:00.000000Z",
    ]
}

struct NewClient: Codable, Sendable, FieldNotes {
    let name: Text<200>
    let website: WebURL?
    let phone: PhoneNumber?
    let industry: Text<100>?
    let employees: Whole<0, 10_000_000>?
    let description: Prose<20_000>?
    let lifecycle: ClientLifecycle?
    let ownerId: UUID?
    let tagIds: UpTo<30, UUID>?
    let custom: [String: JSON]?

    static let fieldNotes = ["owner_id": "Whoever makes it, when absent."]

    func draft() -> ClientWriting.Draft {
        var draft = ClientWriting.Draft(name: name.text)
        (draft.website, draft.phone, draft.industry) = (website?.text, phone?.text, industry?.text)
        (draft.employees, draft.description) = (employees?.value, description?.text)
        draft.lifecycle = lifecycle ?? .prospect
        draft.ownerId = ownerId
        draft.tags = Array(Set(tagIds?.items ?? []))
        return draft
    }
}

struct ClientChange: Codable, Sendable {
    let name: Text<200>?
    let website: Clearable<WebURL>
    let phone: Clearable<PhoneNumber>
    let industry: Clearable<Text<100>>
    let employees: Clearable<Whole<0, 10_000_000>>
    let description: Clearable<Prose<20_000>>
    let lifecycle: ClientLifecycle?
    let ownerId: Clearable<UUID>
    let tagIds: UpTo<30, UUID>?
    let custom: [String: JSON]?
}
