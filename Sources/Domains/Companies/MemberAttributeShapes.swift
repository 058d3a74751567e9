import API
import Core
import Postgres
import Wire

enum AttributeKind: String, Codable, CaseIterable, SQLBindable, RowValue, Sendable {
    case text, number, boolean, date, choice
}

/// Something the company keeps about each of its people.
struct MemberAttribute: Codable, Sendable, FieldNotes {
    let id: UUID
    let key: String
    let name: String
    let description: String?
    let kind: AttributeKind
    let options: [String]
    let version: Int
    let createdAt: Timestamp
    let updatedAt: Timestamp

    static let fieldNotes = [
        "key": "Under which the value stands in a member's `attributes`.",
        "options": "What may be chosen, in the order shown; for the kind choice alone.",
    ]
}

struct NewMemberAttribute: Codable, Sendable, FieldNotes {
    let key: AttributeKey
    let name: Text<60>
    let description: Text<200>?
    let kind: AttributeKind
    let options: UpTo<100, Text<60>>?

    static let fieldNotes = ["options": "Needed for the kind choice, and for no other."]
}

struct MemberAttributeChange: Codable, Sendable, FieldNotes {
    let name: Text<60>?
    let description: Clearable<Text<200>>
    let options: UpTo<100, Text<60>>?

    static let fieldNotes = ["options": "Replaces them all. One that a member has cannot be taken out."]
}

/// A short name for programs: `cost_centre`.
struct AttributeKey: TextValue, SQLBindable {
    let text: String
    init(unchecked text: String) { self.text = text }

    static var rule: TextRule {
        TextRule(length: 1...40, pattern: "^[a-z][a-z0-9_]*$") { text in
            let isWord = text.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_")
            }
            return isWord && (0x61...0x7A).contains(text.utf8.first ?? 0)
                ? nil : "must be small letters, digits and _, a letter first"
        }
    }
    static var exampleText: String { "cost_centre" }
}

/// What a value of an attribute must be.
struct AttributeRule: Sendable {
    let key: String
    let kind: AttributeKind
    let options: [String]

    static func all(of company: UUID) -> SQL {
        "SELECT key, name, kind, options FROM member_attributes WHERE company_id = \(company) ORDER BY name, id"
    }

    init(_ row: Row) throws {
        key = try row.get("key")
        kind = try row.get("kind")
        options = try row.get("options")
    }

    /// Nil, or what is wrong with the value.
    func fault(in value: JSON) -> String? {
        switch kind {
        case .text:
            guard let text = value.stringValue else { return "must be a text" }
            return text.unicodeScalars.count <= CompanyLimits.attributeTextMax
                ? nil : "may have \(CompanyLimits.attributeTextMax) characters"
        case .number: return value.doubleValue == nil ? "must be a number" : nil
        case .boolean: return value.boolValue == nil ? "must be true or false" : nil
        case .date:
            return value.stringValue.flatMap { LocalDate($0) } == nil ? "must be a day like 2030-01-31" : nil
        case .choice:
            return options.contains { value == .string($0) }
                ? nil : "must be one of \(options.joined(separator: ", "))"
        }
    }

    /// The condition that a value of `column`, which has the key, is none of this kind.
    static func misfit(_ kind: AttributeKind, _ options: [String], key: String, in column: SQL) -> SQL {
        let value: SQL = "\(fragment: column) -> \(key)::text"
        let text: SQL = "\(fragment: column) ->> \(key)::text"
        switch kind {
        case .text: return "jsonb_typeof(\(fragment: value)) <> 'string'"
        case .number: return "jsonb_typeof(\(fragment: value)) <> 'number'"
        case .boolean: return "jsonb_typeof(\(fragment: value)) <> 'boolean'"
        case .date:
            return """
                (jsonb_typeof(\(fragment: value)) <> 'string' OR \(fragment: text) !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$')
                """
        case .choice:
            return """
                (jsonb_typeof(\(fragment: value)) <> 'string' OR \(fragment: text) <> ALL(\(options)::text[]))
                """
        }
    }
}
