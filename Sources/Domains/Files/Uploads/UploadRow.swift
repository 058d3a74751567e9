import API
import Core
import Postgres
import Wire

/// An upload that comes in several requests, as its row says.
struct UploadRow: Sendable {
    enum State: String, Codable, CaseIterable, SQLBindable, RowValue, Sendable {
        case open, finished, failed
    }

    let id: UUID
    let company: UUID
    let userId: UUID
    let name: String
    let declaredType: String?
    let purpose: String
    let tags: [String]
    let length: Int
    let offset: Int
    let state: State
    let failure: String?
    let storage: String
    let expiresAt: Timestamp
    let key: StorageKey
    let saved: Intake.Saved

    static let columns: SQL = """
        id, company_id, user_id, name, declared_type, purpose, tags, length_bytes, offset_bytes, head, type, width, height,
        hash_state, storage, object_id, storage_state::text AS storage_state, state, failure, expires_at
        """

    init(_ row: Row) throws {
        id = try row.get("id")
        company = try row.get("company_id")
        userId = try row.get("user_id")
        name = try row.get("name")
        declaredType = try row.get("declared_type", as: String?.self)
        purpose = try row.get("purpose")
        tags = try row.get("tags")
        length = try row.get("length_bytes")
        offset = try row.get("offset_bytes")
        state = try row.get("state")
        failure = try row.get("failure", as: String?.self)
        storage = try row.get("storage")
        expiresAt = try row.get("expires_at")
        key = StorageKey(company: company, id: try row.get("object_id"))
        let size = try ImageSize(
            width: row.get("width", as: Int?.self) ?? 0, height: row.get("height", as: Int?.self) ?? 0)
        saved = Intake.Saved(
            length: offset, head: try row.get("head"),
            type: try row.get("type", as: String?.self).map { ContentType(name: $0) }, imageSize: size,
            hash: try row.get("hash_state", as: [UInt8]?.self) ?? [],
            storage: try JSON.parse(row.get("storage_state", as: String.self)).decode(StorageState.self))
    }

    /// What the file will be.
    var file: NewFile {
        NewFile(
            id: id, name: FileName(from: name), declaredType: declaredType,
            purpose: FilePurpose(purpose) ?? .general,
            tags: tags.compactMap { FileTag($0) }, uploadedBy: userId, reservedBytes: length)
    }

    /// The caller's own; nobody goes on with another's.
    static func find(_ id: UUID, _ call: Call) async throws -> UploadRow {
        let rows = try await call.db.query(
            """
            SELECT \(fragment: columns) FROM uploads
             WHERE company_id = \(call.company) AND id = \(id) AND user_id = \(call.user)
            """)
        guard let row = rows.first else { throw Problem.notFound }
        return try UploadRow(row)
    }
}

/// An upload as its owner sees it.
struct UploadStanding: Codable, Sendable {
    let id: UUID
    let name: String
    let lengthBytes: Int64
    let offsetBytes: Int64
    let state: UploadRow.State
    let failure: String?
    let fileId: UUID?
    let expiresAt: Timestamp
    let createdAt: Timestamp

    static func select(_ company: UUID) -> SQL {
        """
        SELECT u.id, u.name, u.length_bytes, u.offset_bytes, u.state, u.failure,
               CASE WHEN u.state = 'finished' THEN u.id END AS file_id, u.expires_at, u.created_at
          FROM uploads u
         WHERE u.company_id = \(company)
        """
    }
}

extension UploadStanding: FieldNotes {
    static let fieldNotes = [
        "offset_bytes": "So many bytes are safe; go on from here.",
        "file_id": "The file, once all of it has come; it has the id of the upload.",
    ]
}
