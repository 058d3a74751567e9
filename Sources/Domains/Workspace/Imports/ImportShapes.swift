import API
import Core
import Postgres
import Wire

/// A table on its way in.
struct Import: Codable, Sendable, FieldNotes {
    let id: UUID
    let kind: String
    let target: JSON
    let state: ImportState
    let fileId: UUID
    let fileName: String
    let sizeBytes: Int
    let delimiter: String
    let encoding: TextEncoding
    let hasHeader: Bool
    let headers: [String]
    let sample: [[String]]
    let mapping: [MappedColumn]
    let rowsDone: Int
    let progress: Int
    let createdCount: Int
    let changedCount: Int
    let skippedCount: Int
    let failedCount: Int
    let undoneCount: Int
    let error: String?
    let jobId: UUID?
    let createdBy: UUID?
    let startedAt: Timestamp?
    let finishedAt: Timestamp?
    let version: Int
    let createdAt: Timestamp
    let updatedAt: Timestamp

    static let fieldNotes = [
        "target": "Where the rows go, as the kind has it.",
        "sample": "The first rows of the file, the heading aside.",
        "mapping":
            "Which column of the file, counted from 0, is which of the kind's. It begins as a proposal.",
        "progress": "In hundredths of the file.",
        "rows_done": "Of the pass in hand or the last: a dry run counts anew.",
        "created_by": "The user in whose name it runs.",
    ]
}

enum ImportState: String, Codable, CaseIterable, SQLBindable, SQLBindableElement, Sendable {
    case uploaded, checking, checked, running, done, failed, cancelled, undoing, undone

    /// A job has it in hand.
    var isBusy: Bool { self == .checking || self == .running || self == .undoing }
}

struct MappedColumn: Codable, Sendable, Equatable {
    let column: Whole<0, 999>
    let key: Text<80>
}

struct NewImport: Codable, Sendable, FieldNotes {
    let kind: Text<60>
    let target: JSON?
    let fileId: UUID?
    let csv: CSVText?
    let fileName: Text<200>?

    static let fieldNotes = [
        "file_id": "A file of the company; or else `csv`.",
        "csv": "The table itself, for small ones.",
    ]
}

/// A small table within a body.
struct CSVText: TextValue {
    let text: String
    init(unchecked text: String) { self.text = text }
    static var rule: TextRule {
        TextRule(length: 1...900_000) { $0.utf8.contains(0) ? "may not have NUL" : nil }
    }
    static var exampleText: String { "title,due\r\nPoster,2026-12-01\r\n" }
}

struct ImportChange: Codable, Sendable {
    let mapping: UpTo<200, MappedColumn>?
    let delimiter: Delimiter?
    let encoding: TextEncoding?
    let hasHeader: Bool?
}

enum Delimiter: String, Codable, CaseIterable, SQLBindable, Sendable {
    case comma = ",", semicolon = ";", tab = "\t", bar = "|"

    var byte: UInt8 { rawValue.utf8.first! }
    static func of(_ byte: UInt8) -> Delimiter { allCases.first { $0.byte == byte } ?? .comma }
}

/// What became of one row.
struct ImportRowResult: Codable, Sendable, FieldNotes {
    let n: Int
    let isDry: Bool
    let state: ImportRowState
    let faults: [ImportFault]
    let entityId: UUID?

    static let fieldNotes = [
        "n": "Counted from 1, the heading aside.",
        "entity_id": "The thing it made or changed; of a dry run the one it would have changed.",
    ]
}

enum ImportRowState: String, Codable, CaseIterable, SQLBindable, SQLBindableElement, Sendable {
    case created, changed, skipped, failed, undone, kept
}

/// What a table of this kind may hold.
struct ImportColumnInfo: Codable, Sendable {
    let key: String
    let name: String
    let isRequired: Bool
    let summary: String
    let aliases: [String]
}

struct ImportKindInfo: Codable, Sendable {
    let kind: String
    let name: String
}

struct ImportKindList: Codable, Sendable {
    let kinds: [ImportKindInfo]
}

struct ImportColumnList: Codable, Sendable {
    let columns: [ImportColumnInfo]
}
