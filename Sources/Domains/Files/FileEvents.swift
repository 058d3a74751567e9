import Core
import Postgres
import Wire

/// What this domain tells the others.
enum FileEvents {
    struct File: Codable, Sendable {
        let id: UUID
        let name: String
        let type: String
        let sizeBytes: Int
        let purpose: String
        let state: FileState
    }

    struct Verdict: Codable, Sendable {
        let id: UUID
        let name: String
        let state: FileState
        let rejection: String?
    }

    struct Deleted: Codable, Sendable {
        let id: UUID
        let name: String
    }

    private static let id = UUID("0197b0f0-0000-7000-8000-0000000000f1")!

    static let uploaded = EventType(
        "file.uploaded",
        "A file has been kept; when contents are looked through for malware its state is `pending`.",
        example: File(
            id: id, name: "spring-campaign.pdf", type: "application/pdf", sizeBytes: 48_213,
            purpose: "general", state: .ready))
    static let scanned = EventType(
        "file.scanned", "A file has been looked through for malware, and is `ready` or `rejected`.",
        example: Verdict(id: id, name: "invoice.pdf", state: .rejected, rejection: "Win.Test.EICAR_HDB-1"))
    static let deleted = EventType(
        "file.deleted", "A file has been put into the trash.",
        example: Deleted(id: id, name: "spring-campaign.pdf"))

    static let all: [AnyEventType] = [uploaded.erased, scanned.erased, deleted.erased]
}
