import API
import Wire

/// What somebody said about a thing.
struct Comment: Codable, Sendable, FieldNotes {
    let id: UUID
    let subjectKind: String
    let subjectId: UUID
    let parentId: UUID?
    let author: CommentPerson?
    let body: String?
    let isInternal: Bool
    let mentions: [CommentPerson]
    let reactions: [CommentReaction]
    let replyCount: Int
    let resolvedAt: Timestamp?
    let resolvedBy: UUID?
    let editedAt: Timestamp?
    let isDeleted: Bool
    let version: Int
    let createdAt: Timestamp
    let updatedAt: Timestamp

    static let fieldNotes = [
        "parent_id": "The comment that this one answers; null for one that begins a thread.",
        "author": "Null for somebody who asked to be forgotten, and on what is deleted.",
        "body": "Markdown; `<@member_id>` stands for one of `mentions`. Null on what is deleted.",
        "is_internal": "Clients do not see it.",
        "is_deleted": "It stays, without its text, for as long as it has replies.",
        "resolved_by": "The user.",
    ]
}

struct CommentPerson: Codable, Sendable, FieldNotes {
    let userId: UUID
    let memberId: UUID?
    let name: String

    static let fieldNotes = ["member_id": "Null for somebody who is not in the company any more."]
}

struct CommentReaction: Codable, Sendable {
    let code: String
    let count: Int
    let isMine: Bool
}

struct NewComment: Codable, Sendable, FieldNotes {
    let subjectKind: Text<60>
    let subjectId: UUID
    let parentId: UUID?
    let body: Prose<20000>
    let isInternal: Bool?

    static let fieldNotes = [
        "parent_id": "The comment to answer; an answer to an answer goes into the same thread.",
        "body": "Markdown. `<@member_id>` mentions a member, who must be able to see the thing.",
        "is_internal":
            "Without it: as the comment that it answers; else internal, for those who may write such.",
    ]
}

struct CommentChange: Codable, Sendable, FieldNotes {
    let body: Prose<20000>?
    let isInternal: Bool?

    static let fieldNotes = ["is_internal": "What becomes internal takes its replies along."]
}

/// What a comment said before.
struct CommentEdit: Codable, Sendable, FieldNotes {
    let id: UUID
    let body: String
    let editedBy: UUID?
    let createdAt: Timestamp

    static let fieldNotes = [
        "created_at": "When it stopped saying this.", "edited_by": "The user who changed it.",
    ]
}

/// `heart`, `+1`: a sign under the name that most emoji sets give it.
struct ReactionCode: TextValue {
    let text: String
    init(unchecked text: String) { self.text = text }

    static var rule: TextRule {
        TextRule(length: 1...60, pattern: "^[a-z0-9_+-]+$") { text in
            text.utf8.allSatisfy {
                (97...122).contains($0) || (48...57).contains($0) || [95, 43, 45].contains($0)
            }
                ? nil : "is no code like heart or +1"
        }
    }
    static var exampleText: String { "heart" }
}
