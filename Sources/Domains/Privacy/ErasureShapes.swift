import API
import Core
import Postgres
import Wire

struct NewErasure: Codable, Sendable, FieldNotes {
    enum Subject: String, Codable, CaseIterable, Sendable { case me, person }

    let subject: Subject
    /// Whom the company means.
    let email: Email?
    /// The address cannot be used for an account again.
    let blockSignUp: Bool?
    let reason: Prose<500>?

    static let fieldNotes = [
        "subject":
            "`me`: your account and what names you, in every company. `person`: what this company knows about an "
            + "address.",
        "email": "For `person` alone.",
        "block_sign_up":
            "Nobody can make an account with the address again; a digest of it is kept for that.",
    ]
}

struct Erasure: Codable, Sendable, FieldNotes {
    let id: UUID
    let subject: PrivacySubject
    let state: PrivacyState
    let requestedBy: UUID
    let reason: String?
    let blocksSignUp: Bool
    let plan: [PlannedStep]?
    let error: String?
    let createdAt: Timestamp
    let confirmedAt: Timestamp?
    let executeAfter: Timestamp?
    let finishedAt: Timestamp?
    let version: Int64

    static let fieldNotes = [
        "plan": "What would go if it were done now, table by table.",
        "error": "Why it is blocked, or failed.",
        "execute_after": "Until then it can be cancelled.",
    ]
}

/// One table, in one company or in none.
struct PlannedStep: Codable, Sendable {
    enum Action: String, Codable, CaseIterable, SQLBindable, Sendable { case delete, blank, keep }

    let table: String
    let companyId: UUID?
    let what: String
    let action: Action
    let reason: String?
    let rows: Int64
}

struct ConfirmedErasure: Codable, Sendable, FieldNotes {
    let id: UUID
    let state: PrivacyState
    let executeAfter: Timestamp
    let receipt: String

    static let fieldNotes = [
        "receipt":
            "Shown once. With it the report can be read when the account is gone: POST /v1/privacy/receipts."
    ]
}

/// What was done, and what was not: written once, and its digest stands in the record of every company it touched.
struct ErasureReport: Codable, Sendable, FieldNotes {
    let requestId: UUID
    let subject: PrivacySubject
    let requestedBy: UUID
    let requestedAt: Timestamp
    let confirmedAt: Timestamp
    let finishedAt: Timestamp
    let signUpIsBlocked: Bool
    let tables: [ReportedStep]
    let rowsErased: Int64
    let rowsKept: Int64
    let backups: String

    static let fieldNotes = ["backups": "What may still hold the data, and until when."]
}

struct ReportedStep: Codable, Sendable {
    enum Action: String, Codable, CaseIterable, Sendable { case identity, delete, blank, keep }

    let table: String
    let companyId: UUID?
    let what: String
    let action: Action
    let reason: String?
    let rows: Int64
    let doneAt: Timestamp
}

struct ErasureProof: Codable, Sendable, FieldNotes {
    let report: ErasureReport
    let sha256: String

    static let fieldNotes = [
        "sha256":
            "Over the report's text as it is stored; the record of changes of each company holds it too, as "
            + "`privacy.erased`."
    ]
}
