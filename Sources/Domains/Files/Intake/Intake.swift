import API
import Core
import Crypto
import Wire

/// Takes one file on its way into the storage: the first bytes are held back until they tell what it is, the rest goes
/// through, hashed and counted, and is never gathered in memory.
// @unchecked Sendable: used by one task at a time.
final class Intake: @unchecked Sendable {
    let key: StorageKey
    private let parts: FileParts
    private var head: [UInt8]
    private var hash: ResumableSHA256
    private var writer: (any StorageWriter)?
    private(set) var type: ContentType?
    private(set) var imageSize: ImageSize?
    private(set) var length: Int

    init(_ key: StorageKey, _ parts: FileParts) {
        self.key = key
        self.parts = parts
        head = []
        hash = ResumableSHA256()
        length = 0
    }

    /// Goes on with what was saved.
    init(_ saved: Saved, _ key: StorageKey, _ parts: FileParts) async throws {
        self.key = key
        self.parts = parts
        head = saved.head
        length = saved.length
        (type, imageSize) = (saved.type, saved.imageSize)
        if saved.type == nil {
            hash = ResumableSHA256()
            return
        }
        guard let kept = ResumableSHA256(state: saved.hash) else {
            throw StorageError.failed("the state of a hash is damaged")
        }
        hash = kept
        writer = try await parts.storage.resume(key, from: saved.storage)
    }

    /// What is needed to go on with a file later.
    struct Saved: Sendable {
        var length: Int
        var head: [UInt8]
        var type: ContentType?
        var imageSize: ImageSize?
        var hash: [UInt8]
        var storage: StorageState
    }

    /// Throws a problem when the file is too large or of a type that is not taken; nothing more may follow then.
    func take(_ bytes: [UInt8]) async throws {
        length += bytes.count
        parts.figures.bytesReceived.count(bytes.count)
        if length > parts.rules.bytesMax { throw parts.rules.tooLarge }
        if writer != nil { return try await write(bytes) }
        head += bytes
        if head.count >= FileLimits.headBytes { try await passHead() }
    }

    /// The type is known now, and what should not be told is taken out.
    private func passHead() async throws {
        var head = self.head
        self.head = []
        let type = ContentType(of: head)
        try parts.rules.check(type)
        self.type = type
        imageSize = ImageSize(of: type, head: head)
        _ = PhotoLocation.remove(from: &head)
        writer = try await parts.storage.write(key)
        try await write(head)
    }

    private func write(_ bytes: [UInt8]) async throws {
        hash.update(bytes)
        try await writer?.write(bytes)
    }

    /// Makes safe what has come.
    func save() async throws -> Saved {
        Saved(
            length: length, head: head, type: type, imageSize: imageSize, hash: hash.state,
            storage: try await writer?.save() ?? StorageState())
    }

    /// Makes the object whole.
    func finish() async throws -> ReceivedFile {
        if length == 0 { throw Problem(.fileEmpty) }
        if writer == nil { try await passHead() }
        try await writer?.finish()
        return received
    }

    private var received: ReceivedFile {
        guard let type else { preconditionFailure("a file is received before its type is known") }
        return ReceivedFile(key: key, length: length, sha256: hash.digest, type: type, imageSize: imageSize)
    }

    /// What was received when nothing was left to be done but to record it; nil when more than that was left.
    static func received(_ saved: Saved, _ key: StorageKey) -> ReceivedFile? {
        guard let type = saved.type, let hash = ResumableSHA256(state: saved.hash) else { return nil }
        return ReceivedFile(
            key: key, length: saved.length, sha256: hash.digest, type: type, imageSize: saved.imageSize)
    }

    /// Leaves nothing behind. Also when the task is cancelled, as it is when the client has gone.
    func abandon() async {
        guard let writer else { return }
        await Task { await writer.abandon() }.value
    }
}

/// A content that lies whole in the storage and that no row speaks of yet.
struct ReceivedFile: Sendable {
    let key: StorageKey
    let length: Int
    let sha256: [UInt8]
    let type: ContentType
    let imageSize: ImageSize?
}
