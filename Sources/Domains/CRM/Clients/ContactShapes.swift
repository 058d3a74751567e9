import API
import Postgres
import Wire

/// A person at a client, or who may become one.
struct Contact: Codable, Sendable, FieldNotes {
    let id: UUID
    let name: String
    let firstName: String?
    let lastName: String?
    let jobTitle: String?
    let lifecycle: ContactLifecycle
    let ownerId: UUID?
    let clientId: UUID?
    let email: String?
    let phone: String?
    let locale: String?
    let timeZone: String?
    let consents: JSON
    let tagIds: [UUID]
    let custom: JSON
    let archivedAt: Timestamp?
    let createdBy: UUID?
    let version: Int
    let createdAt: Timestamp
    let updatedAt: Timestamp

    static let fieldNotes = [
        "email": "The primary address; null without crm:contact-data, as `phone` is.",
        "client_id": "Where the person is first of all; `GET /v1/contacts/{id}/clients` lists all.",
        "consents": "What the person allows, by channel: the state, its legal basis and since when.",
        "owner_id": "The member who looks after the contact.",
    ]

    static let example: JSON = [
        "id": .string(ContactEvents.someId.description), "name": "Anna Berg", "first_name": "Anna",
        "last_name": "Berg",
        "job_title": "Head of purchasing", "lifecycle": "lead", "owner_id": nil, "client_id": nil,
        "email": "anna@northwind.example", "phone": "+4930901820", "locale": "de-DE", "time_zone": nil,
        "consents": ["email": ["state": "granted", "basis": "consent", "at": "2026-03-02T09:00:00.000000Z"]],
        "tag_ids": [],
        "custom": [:], "archived_at": nil, "created_by": nil, "version": 1,
        "created_at": "2026-03-02T09:00:00.000000Z",
        "updated_at": "2026-03-02T09:00:00.000000Z",
    ]
}

/// A telephone number, however it is written.
struct PhoneNumber: TextValue, SQLBindable {
    var sqlValue: SQLValue { .text(text) }
    let text: String
    init(unchecked text: String) { self.text = text }

    static var rule: TextRule {
        TextRule(length: 3...40) { IdentityKind.phone.normal($0) == nil ? "is not a telephone number" : nil }
    }
    static var exampleText: String { "+49 30 901820" }
    static func tidied(_ text: String) -> String { text.trimmed() }
}

struct NewContact: Codable, Sendable, FieldNotes {
    let name: Text<200>?
    let firstName: Text<100>?
    let lastName: Text<100>?
    let emails: UpTo<20, Email>?
    let phones: UpTo<20, PhoneNumber>?
    let externalId: Text<200>?
    let jobTitle: Text<120>?
    let lifecycle: ContactLifecycle?
    let ownerId: UUID?
    let clientId: UUID?
    let locale: LocaleName?
    let timeZone: TimeZoneName?
    let tagIds: UpTo<30, UUID>?
    let custom: [String: JSON]?

    static let fieldNotes = [
        "name": "Made of the other fields when absent.",
        "emails": "The first is the primary one. One address is one person's.",
        "external_id": "What another system knows the person by.",
        "owner_id": "Whoever makes it, when absent.",
    ]

    var hasContactData: Bool { !(emails?.items ?? []).isEmpty || !(phones?.items ?? []).isEmpty }

    func draft() -> ContactWriting.Draft {
        var draft = ContactWriting.Draft()
        (draft.name, draft.firstName, draft.lastName) = (name?.text, firstName?.text, lastName?.text)
        draft.emails = emails?.items.map(\.text) ?? []
        draft.phones = phones?.items.map(\.text) ?? []
        (draft.externalId, draft.jobTitle) = (externalId?.text, jobTitle?.text)
        draft.lifecycle = lifecycle ?? .subscriber
        (draft.ownerId, draft.clientId) = (ownerId, clientId)
        (draft.locale, draft.timeZone) = (locale?.text, timeZone?.text)
        draft.tags = Array(Set(tagIds?.items ?? []))
        return draft
    }
}

struct ContactChange: Codable, Sendable {
    let name: Text<200>?
    let firstName: Clearable<Text<100>>
    let lastName: Clearable<Text<100>>
    let jobTitle: Clearable<Text<120>>
    let lifecycle: ContactLifecycle?
    let ownerId: Clearable<UUID>
    let locale: Clearable<LocaleName>
    let timeZone: Clearable<TimeZoneName>
    let tagIds: UpTo<30, UUID>?
    let custom: [String: JSON]?
}
