import API
import Core
import Postgres
import Wire

enum FileState: String, Codable, CaseIterable, SQLBindable, SQLBindableElement, RowValue, Sendable {
    /// Being looked through for malware.
    case pending
    case ready
    /// Refused for what is in it; the content is gone.
    case rejected
    /// In the trash.
    case deleted
}

/// A file as everybody in the company sees it.
struct StoredFile: Codable, Sendable {
    let id: UUID
    let name: String
    let type: String
    let declaredType: String?
    let kind: ContentKind
    let sizeBytes: Int64
    let sha256: String
    let width: Int?
    let height: Int?
    let purpose: String
    let tags: [String]
    let state: FileState
    let rejection: String?
    let uploadedBy: UUID?
    let version: Int
    let createdAt: Timestamp
    let updatedAt: Timestamp
    let deletedAt: Timestamp?
    let expiresAt: Timestamp?

    static func select(_ company: UUID) -> SQL {
        """
        SELECT f.id, f.name, f.type, f.declared_type, f.kind, f.size_bytes, encode(f.sha256, 'hex') AS sha256, f.width,
               f.height, f.purpose, f.tags, f.state, f.rejection, f.uploaded_by, f.version, f.created_at, f.updated_at,
               f.deleted_at, f.expires_at
          FROM files f
         WHERE f.company_id = \(company)
        """
    }
}

extension StoredFile: FieldNotes {
    static let fieldNotes = [
        "type": "Told by the content; what the sender said is in `declared_type`.",
        "width": "Of a picture, in pixels, before any turning that its orientation asks for.",
        "sha256": "Of the content as stored. The place where a photo was taken is removed from it first.",
        "expires_at": "When it goes for good, if it does.",
        "rejection": "Why the content was refused.",
        "uploaded_by": "The user; null for what Infinity made itself.",
    ]
}

struct FileChange: Codable, Sendable {
    let name: FileName?
    let purpose: FilePurpose?
    let tags: UpTo<20, FileTag>?
}

struct FileIds: Codable, Sendable {
    let ids: UpTo<100, UUID>
}

/// What became of each file of a bulk action.
struct FileResults: Codable, Sendable {
    struct Result: Codable, Sendable {
        let id: UUID
        /// Null when it was done.
        let code: String?
    }

    let done: Int
    let refused: Int
    let results: [Result]
}

/// The name a file is shown and saved under; never a path.
struct FileName: TextValue, SQLBindable {
    let text: String
    init(unchecked text: String) { self.text = text }

    static var rule: TextRule {
        TextRule(length: 1...FileLimits.nameLength, pattern: #"^[^/\\]*$"#) { text in
            if text.contains(where: { $0 == "/" || $0 == "\\" }) { return "may not have slashes" }
            if text == "." || text == ".." { return "is no name" }
            return text.unicodeScalars.contains { isControl($0.value) }
                ? "may not have control characters" : nil
        }
    }
    static var exampleText: String { "spring-campaign.pdf" }

    private static func isControl(_ scalar: UInt32) -> Bool {
        switch scalar {
        // Those that turn the writing direction make `exe` look like `fdp`.
        case 0x00...0x1F, 0x7F...0x9F, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }

    /// What can be kept of a name that came with a file.
    init(from name: String?) {
        let last = name?.split(whereSeparator: { $0 == "/" || $0 == "\\" }).last ?? ""
        let kept = last.unicodeScalars.filter { !Self.isControl($0.value) }.prefix(FileLimits.nameLength)
        self = FileName(String(String.UnicodeScalarView(kept))) ?? FileName(unchecked: "unnamed")
    }
}

/// What a file is for: `general`, `logo`, `campaign-picture`.
struct FilePurpose: TextValue, SQLBindable {
    let text: String
    init(unchecked text: String) { self.text = text }

    static let general = FilePurpose(unchecked: "general")

    static var rule: TextRule {
        TextRule(length: 1...FileLimits.purposeLength, pattern: "^[a-z0-9][a-z0-9_-]*$") { text in
            let isPlain = text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
            }
            return isPlain
                && text.utf8.first.map { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: "_") } == true
                ? nil : "takes small letters, digits, - and _, beginning with a letter or digit"
        }
    }
    static var exampleText: String { "general" }
}

struct FileTag: TextValue, SQLBindable, SQLBindableElement {
    let text: String
    init(unchecked text: String) { self.text = text }

    static var rule: TextRule {
        TextRule(length: 1...FileLimits.tagLength, pattern: #"^[^,\s][^,]*$"#) { text in
            if text.contains(",") { return "may not have commas" }
            if text.first?.isWhitespace != false || text.last?.isWhitespace != false {
                return "may not begin or end with a blank"
            }
            return text.unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }
                ? "may not have control characters" : nil
        }
    }
    static var exampleText: String { "spring" }
}
