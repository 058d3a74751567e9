import API
import Postgres
import Wire

/// A list as somebody likes to see it.
struct SavedView: Codable, Sendable, FieldNotes {
    let id: UUID
    let kind: String
    let scopeId: UUID?
    let name: String
    let memberId: UUID
    let isShared: Bool
    let layout: ViewLayout
    let filter: JSON
    let sort: String?
    let groupBy: String?
    let columns: [String]
    let position: Int
    let isFavourite: Bool
    let isDefault: Bool
    let version: Int
    let createdAt: Timestamp
    let updatedAt: Timestamp

    static let fieldNotes = [
        "filter": "The list's own parameters as an object: `{\"status\": [\"open\"], \"q\": \"poster\"}`.",
        "member_id": "Whose it is.", "is_favourite": "To the caller.",
        "is_default": "What the caller's list opens with.",
    ]
}

enum ViewLayout: String, Codable, CaseIterable, SQLBindable, Sendable {
    case list, board, calendar, timeline, table
}

struct NewView: Codable, Sendable {
    let kind: Text<60>
    let scopeId: UUID?
    let name: Text<80>
    let isShared: Bool?
    let layout: ViewLayout?
    let filter: JSON?
    let sort: Text<200>?
    let groupBy: Text<60>?
    let columns: UpTo<50, Text<60>>?
}

struct ViewChange: Codable, Sendable {
    let name: Text<80>?
    let isShared: Bool?
    let layout: ViewLayout?
    let filter: JSON?
    let sort: Clearable<Text<200>>
    let groupBy: Clearable<Text<60>>
    let columns: UpTo<50, Text<60>>?
    let position: Whole<0, 10000>?
}
