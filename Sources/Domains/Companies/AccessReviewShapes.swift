import API
import Postgres
import Wire

enum ReviewState: String, Codable, CaseIterable, SQLBindable, SQLBindableElement, RowValue, Sendable {
    case open, closed
}

enum ReviewDecision: String, Codable, CaseIterable, SQLBindable, RowValue, Sendable {
    case keep, remove
}

enum ReviewOutcome: String, Codable, CaseIterable, Sendable {
    case kept, removed, gone
}

enum ReviewedKind: String, Codable, CaseIterable, Sendable {
    case role, grant
}

/// A review of who may do what in the company.
struct AccessReview: Codable, Sendable, FieldNotes {
    let id: UUID
    let name: String
    let dueOn: LocalDate?
    let state: ReviewState
    let openedBy: UUID
    let openedByName: String?
    let itemCount: Int
    let undecidedCount: Int
    let removeCount: Int
    let closedBy: UUID?
    let closedAt: Timestamp?
    let version: Int
    let createdAt: Timestamp
    let updatedAt: Timestamp

    static let fieldNotes = ["remove_count": "How many are to be taken away, or were when it was closed."]
}

struct NewAccessReview: Codable, Sendable {
    let name: Text<80>
    let dueOn: LocalDate?
}

/// One thing somebody holds: a role in the company, or a role on a single thing.
struct AccessReviewItem: Codable, Sendable, FieldNotes {
    let id: UUID
    let memberId: UUID
    let memberName: String
    let memberEmail: String?
    let kind: ReviewedKind
    let roleId: UUID
    let roleName: String
    let objectType: String?
    let objectId: UUID?
    let grantedBy: UUID?
    let grantedByName: String?
    let grantedAt: Timestamp
    let lastUsedOn: LocalDate?
    let decision: ReviewDecision?
    let note: String?
    let decidedBy: UUID?
    let decidedAt: Timestamp?
    let outcome: ReviewOutcome?

    static let fieldNotes = [
        "last_used_on":
            "The last day on which the member used anything the role permits in the company; null when never, "
            + "and for roles on single things, whose use is not noted.",
        "outcome": "gone: it had been taken away before the review was closed.",
    ]
}

struct ItemDecision: Codable, Sendable {
    let decision: ReviewDecision
    let note: Text<300>?
}

struct ItemDecisions: Codable, Sendable {
    let itemIds: UpTo<200, UUID>
    let decision: ReviewDecision
    let note: Text<300>?
}

struct DecidedItems: Codable, Sendable {
    let decided: Int
}

struct ReviewClosing: Codable, Sendable, FieldNotes {
    let undecided: ReviewDecision?

    static let fieldNotes = [
        "undecided":
            "What becomes of items nobody has decided on. Left out: the review cannot be closed while there are any."
    ]
}
