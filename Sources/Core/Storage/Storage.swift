import HTTP
import Wire

/// Where the bytes of files lie: a folder of this machine, or a bucket that speaks S3.
///
/// An object is written once, piece by piece, becomes visible whole or not at all, and never changes after.
public protocol Storage: Sendable {
    /// Which storage this is, for what is begun on one instance and continued on another: two that give the same name
    /// see the same objects.
    var identity: String { get }

    /// Begins an object.
    func write(_ key: StorageKey) async throws -> any StorageWriter

    /// Goes on with an object that was begun elsewhere or earlier, from what `StorageWriter.save` gave.
    func resume(_ key: StorageKey, from state: StorageState) async throws -> any StorageWriter

    /// How long a whole object is; nil when there is none.
    func length(of key: StorageKey) async throws -> Int?

    /// Gives up an object that was begun; what is not there is no fault.
    func abandon(_ key: StorageKey, _ state: StorageState) async throws

    /// The bytes of an object as the body of an answer.
    /// - Parameter range: the part that is wanted; ignored by a storage whose body the server cuts itself.
    func body(_ key: StorageKey, length: Int, range: Range<Int>?) async throws -> StorageBody

    /// An address at the storage itself under which the object can be had for so long; nil where there is none.
    func directURL(_ key: StorageKey, type: String, disposition: String, seconds: Int) -> String?

    /// Hands the object's bytes to `take`, a piece after the other.
    func read(_ key: StorageKey, _ take: ([UInt8]) async throws -> Void) async throws

    /// Removes objects; what is not there is no fault.
    func delete(_ keys: [StorageKey]) async throws

    /// Calls `visit` for every object there is, some hundreds at a time, one company's after the other's.
    func list(_ visit: ([StoredObject]) async throws -> Void) async throws

    /// Calls `visit` for every object that was begun and not finished.
    func listUnfinished(_ visit: ([UnfinishedObject]) async throws -> Void) async throws

    /// Nil when objects can be written, read and deleted; else what is wrong, for the operator.
    func check() async -> String?
}

extension Storage {
    public func delete(_ key: StorageKey) async throws { try await delete([key]) }
    public func directURL(_ key: StorageKey, type: String, disposition: String, seconds: Int) -> String? {
        nil
    }
}

/// Writes one object. For one task at a time.
public protocol StorageWriter: AnyObject, Sendable {
    func write(_ bytes: [UInt8]) async throws
    /// Makes what was written so far safe and gives what is needed to go on from here, now or elsewhere.
    func save() async throws -> StorageState
    /// Makes the object whole, safe and visible.
    func finish() async throws
    /// Leaves nothing behind, as far as it can.
    func abandon() async
}

/// What a storage needs to know of an object that is half written; opaque to whoever keeps it.
public struct StorageState: Codable, Sendable, Equatable {
    /// Bytes that are safe.
    public var length: Int
    /// S3: the multipart upload.
    public var upload: String?
    /// S3: the tags of its parts, in order.
    public var parts: [String]
    /// S3: bytes behind the last part, too few for one, kept in an object of their own.
    public var tail: Int

    public init(length: Int = 0, upload: String? = nil, parts: [String] = [], tail: Int = 0) {
        self.length = length
        self.upload = upload
        self.parts = parts
        self.tail = tail
    }
}

public enum StorageBody: Sendable {
    /// The server cuts the range out of it.
    case file(FileBody)
    /// The range that was asked for, and nothing else.
    case stream(@Sendable (BodyWriter) async throws -> Void)
}

public struct StoredObject: Sendable {
    public let key: StorageKey
    public let changedAt: Timestamp
}

public struct UnfinishedObject: Sendable {
    public let key: StorageKey
    public let state: StorageState
    public let begunAt: Timestamp
}

public enum StorageError: Error, Sendable, CustomStringConvertible {
    /// The object is not there although it should be.
    case missing(StorageKey)
    /// The bytes that were safe are not here: they lie in another instance's folder.
    case elsewhere
    /// No room, no rights, no connection: the text is for the log.
    case failed(String)

    public var description: String {
        switch self {
        case .missing(let key): "the object \(key.path) is not there"
        case .elsewhere: "the bytes lie in another instance's storage"
        case .failed(let text): text
        }
    }
}
