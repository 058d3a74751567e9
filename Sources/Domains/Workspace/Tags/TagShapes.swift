import API
import Wire

/// A word that the company's things are sorted by.
struct Tag: Codable, Sendable, FieldNotes {
    let id: UUID
    let name: String
    let color: String?
    let description: String?
    let kinds: [String]?
    let uses: Int
    let version: Int
    let createdAt: Timestamp
    let updatedAt: Timestamp

    static let fieldNotes = [
        "kinds": "The kinds of things it is offered for; null for all.",
        "uses": "How many things carry it.",
    ]
}

struct NewTag: Codable, Sendable {
    let name: Text<60>
    let color: Color?
    let description: Prose<500>?
    let kinds: UpTo<50, Text<60>>?
}

struct TagChange: Codable, Sendable {
    let name: Text<60>?
    let color: Clearable<Color>
    let description: Clearable<Prose<500>>
    let kinds: Clearable<UpTo<50, Text<60>>>
}

struct TagMerge: Codable, Sendable {
    let intoId: UUID
}
