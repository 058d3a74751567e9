import API
import Wire

/// Something with a place in the calendar.
struct CalendarEntry: Codable, Sendable, FieldNotes {
    let kind: String
    let id: UUID
    let title: String
    let description: String?
    let link: String
    let startsOn: LocalDate?
    let endsOn: LocalDate?
    let startsAt: Timestamp?
    let endsAt: Timestamp?
    let isDone: Bool
    let version: Int
    let createdAt: Timestamp
    let updatedAt: Timestamp

    static let fieldNotes = [
        "starts_on": "Of what takes whole days; `ends_on` is the last of them.",
        "starts_at": "Of what has a time.", "link": "Where it is read in the product.",
    ]
}

struct CalendarWindow: Codable, Sendable {
    let from: Timestamp
    let to: Timestamp
    let kinds: [Text<60>]?
    let mine: Bool?
}

/// A secret address of a calendar, without the secret.
struct CalendarFeed: Codable, Sendable, FieldNotes {
    let id: UUID
    let name: String
    let kinds: [String]?
    let isMineOnly: Bool
    let lastUsedAt: Timestamp?
    let createdAt: Timestamp

    static let fieldNotes = [
        "kinds": "The kinds of things in it; null for all.", "is_mine_only": "Only what is one's own to do.",
        "last_used_at": "To the quarter of an hour.",
    ]
}

/// A new feed with its address, which is told this once.
struct NewCalendarFeedAnswer: Codable, Sendable {
    let feed: CalendarFeed
    let url: String
}

struct NewCalendarFeed: Codable, Sendable {
    let name: Text<80>
    let kinds: UpTo<20, Text<60>>?
    let isMineOnly: Bool?
}
