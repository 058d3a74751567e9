import API
import Postgres
import Wire

/// A table on its way out.
struct Export: Codable, Sendable, FieldNotes {
    let id: UUID
    let kind: String
    let filter: JSON
    let sort: String?
    let columns: [String]
    let format: ExportFormat
    let state: ExportState
    let rowsDone: Int
    let fileId: UUID?
    let sizeBytes: Int?
    let expiresAt: Timestamp?
    let error: String?
    let jobId: UUID?
    let createdBy: UUID?
    let finishedAt: Timestamp?
    let createdAt: Timestamp

    static let fieldNotes = [
        "filter": "The list's own parameters as an object.",
        "expires_at": "When the file goes.", "created_by": "The user in whose name it runs.",
    ]
}

/// An export with the way to its file.
struct ExportDetail: Codable, Sendable, FieldNotes {
    let export: Export
    let url: String?

    static let fieldNotes = ["url": "Opens the file without an account for an hour; null until it is done."]
}

enum ExportFormat: String, Codable, CaseIterable, SQLBindable, Sendable {
    case csv, ndjson, xlsx

    var mediaType: String {
        switch self {
        case .csv: "text/csv; charset=utf-8"
        case .ndjson: "application/x-ndjson"
        case .xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        }
    }
}

enum ExportState: String, Codable, CaseIterable, SQLBindable, SQLBindableElement, Sendable {
    case running, done, failed, cancelled
}

struct NewExport: Codable, Sendable, FieldNotes {
    let kind: Text<60>
    let filter: JSON?
    let sort: Text<200>?
    let savedViewId: UUID?
    let columns: UpTo<100, Text<80>>?
    let format: ExportFormat

    static let fieldNotes = [
        "filter": "The list's own parameters as an object; or else `saved_view_id`.",
        "columns": "Their keys, in the order wanted; all of them without it.",
    ]
}

struct ExportKindInfo: Codable, Sendable {
    let kind: String
    let name: String
    let columns: [ExportColumnInfo]
}

struct ExportColumnInfo: Codable, Sendable {
    let key: String
    let name: String
}

struct ExportKindList: Codable, Sendable {
    let kinds: [ExportKindInfo]
}
