import API
import Core
import Postgres
import Wire

/// A field that the company has given to a kind of thing.
struct Field: Codable, Sendable, FieldNotes {
    let id: UUID
    let kind: String
    let scopeId: UUID?
    let key: String
    let name: String
    let description: String?
    let type: CustomFieldType
    let isRequired: Bool
    let options: [CustomField.Option]
    let defaultValue: JSON
    let currency: String?
    let position: Int
    let isArchived: Bool
    let version: Int
    let createdAt: Timestamp
    let updatedAt: Timestamp

    static let fieldNotes = [
        "scope_id":
            "The part of the company whose things have it, as a project; null for all things of the kind.",
        "key": "The name of its value among a thing's `custom`; it never changes.",
        "type": "It never changes. `money` is a whole number of the smallest unit of `currency`.",
        "is_archived": "Values stay and are shown; none can be set.",
    ]
}

struct NewField: Codable, Sendable, FieldNotes {
    let kind: Text<60>
    let scopeId: UUID?
    let key: FieldKey?
    let name: Text<80>
    let description: Prose<500>?
    let type: CustomFieldType
    let isRequired: Bool?
    let options: UpTo<200, FieldOption>?
    let defaultValue: JSON?
    let currency: CurrencyCode?

    static let fieldNotes = ["key": "Made from the name when it is left out."]
}

struct FieldOption: Codable, Sendable, FieldNotes {
    let key: FieldKey?
    let name: Text<80>
    let color: Color?
    let isArchived: Bool?

    static let fieldNotes = ["key": "What values hold; made from the name when it is left out."]
}

struct FieldChange: Codable, Sendable, FieldNotes {
    let name: Text<80>?
    let description: Clearable<Prose<500>>
    let isRequired: Bool?
    let options: UpTo<200, FieldOption>?
    let defaultValue: Clearable<JSON>
    let isArchived: Bool?

    static let fieldNotes = [
        "options": "All of them, in their order. One that something has must stay, if only archived.",
        "is_required": "Asked of things from their next change of this field on.",
    ]
}

struct FieldOrder: Codable, Sendable {
    let kind: Text<60>
    let scopeId: UUID?
    let ids: UpTo<100, UUID>
}

/// `launch_budget`: a name that programs can use.
struct FieldKey: TextValue, SQLBindable {
    let text: String
    init(unchecked text: String) { self.text = text }

    static var rule: TextRule {
        TextRule(length: 1...60, pattern: "^[a-z][a-z0-9_]*$") {
            isKey($0) ? nil : "is no key like launch_budget"
        }
    }
    static var exampleText: String { "launch_budget" }

    private static func isKey(_ text: String) -> Bool {
        guard let first = text.utf8.first, (97...122).contains(first) else { return false }
        return text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 95 }
    }

    /// Nil for a name without a letter or a digit of the Latin alphabet.
    static func made(from name: String) -> FieldKey? {
        guard let slug = Slug(from: name)?.text else { return nil }
        let key = String(slug.map { $0 == "-" ? "_" : $0 }.prefix(56))
        return FieldKey(key.first.map { $0.isLetter } == true ? key : "f_\(key)")
    }
}
