import CLinux
import Glibc
import HTTP
import Loop
import Wire

/// Objects as files of one folder. All calls that may wait for the disk run on threads of their own.
///
/// An object is written into `incoming/` and moved to its place when all of it is on the disk: nobody ever sees half of
/// one, whenever the power goes.
public final class FolderStorage: Storage {
    public let identity: String
    let folder: String
    let pool: BlockingPool

    /// Makes the folder when there is none.
    public init(folder: String, pool: BlockingPool) throws(StorageError) {
        self.folder = folder
        self.pool = pool
        for path in [folder, "\(folder)/incoming", "\(folder)/objects"] where !Folder.make(path, mode: 0o700)
        {
            throw .failed("\(path): \(SystemError.last)")
        }
        // Instances that share the folder read the same name here; those with a folder each do not.
        let name = "\(folder)/identity"
        _ = SmallFile.create(name, "\(UUID.v7())\n")
        guard let text = SmallFile.read(name), let first = text.split(separator: "\n").first else {
            throw .failed("\(name): \(SystemError.last)")
        }
        identity = "local:\(first)"
    }

    func incoming(_ key: StorageKey) -> String { "\(folder)/incoming/\(key.company).\(key.id)" }
    func place(_ key: StorageKey) -> String { "\(folder)/objects/\(key.path)" }

    public func write(_ key: StorageKey) async throws -> any StorageWriter {
        let path = incoming(key)
        let file = try await pool.run { try DiskFile(path, O_WRONLY | O_CREAT | O_TRUNC) }
        return FolderWriter(self, key, file, at: 0)
    }

    public func resume(_ key: StorageKey, from state: StorageState) async throws -> any StorageWriter {
        guard state.length > 0 else {
            try await abandon(key, state)
            return try await write(key)
        }
        let path = incoming(key)
        let file = try await pool.run {
            let file: DiskFile
            do { file = try DiskFile(path, O_WRONLY) } catch { throw StorageError.elsewhere }
            // Behind what is known to be safe may lie more, of a request that was cut off by a crash.
            guard file.length >= state.length else { throw StorageError.elsewhere }
            try file.cut(to: state.length)
            return file
        }
        return FolderWriter(self, key, file, at: state.length)
    }

    public func length(of key: StorageKey) async throws -> Int? {
        let path = place(key)
        return try await pool.run {
            var about = stat()
            return stat(path, &about) == 0 ? Int(about.st_size) : nil
        }
    }

    public func abandon(_ key: StorageKey, _ state: StorageState) async throws {
        let path = incoming(key)
        try await pool.run { _ = unlink(path) }
    }

    public func body(_ key: StorageKey, length: Int, range: Range<Int>?) async throws -> StorageBody {
        let path = place(key)
        return .file(
            try await pool.run {
                do { return try FileBody(path: path) } catch { throw StorageError.missing(key) }
            })
    }

    public func read(_ key: StorageKey, _ take: ([UInt8]) async throws -> Void) async throws {
        let path = place(key)
        let file = try await pool.run {
            do { return try DiskFile(path, O_RDONLY) } catch { throw StorageError.missing(key) }
        }
        var at = 0
        while true {
            let from = at
            let piece = try await pool.run { try file.read(at: from, StorageLimits.readAtOnceBytes) }
            if piece.isEmpty { return }
            at += piece.count
            try await take(piece)
        }
    }

    public func delete(_ keys: [StorageKey]) async throws {
        let paths = keys.map(place)
        try await pool.run {
            for path in paths where unlink(path) != 0 && errno != ENOENT {
                throw StorageError.failed("\(path): \(SystemError.last)")
            }
        }
    }

    public func list(_ visit: ([StoredObject]) async throws -> Void) async throws {
        let root = "\(folder)/objects"
        for company in try await pool.run({ Folder.entries(root) }) {
            for shelf in try await pool.run({ Folder.entries("\(root)/\(company)") }) {
                let objects = try await pool.run {
                    Folder.entries("\(root)/\(company)/\(shelf)").compactMap { name in
                        Self.object("\(company)/\(shelf)/\(name)", under: root)
                    }
                }
                for start in stride(from: 0, to: objects.count, by: StorageLimits.listedAtOnce) {
                    try await visit(
                        Array(objects[start..<min(start + StorageLimits.listedAtOnce, objects.count)]))
                }
            }
        }
    }

    private static func object(_ path: String, under root: String) -> StoredObject? {
        var about = stat()
        guard let key = StorageKey(path: path), stat("\(root)/\(path)", &about) == 0 else { return nil }
        return StoredObject(
            key: key, changedAt: Timestamp(seconds: Int64(about.st_mtim.tv_sec)))
    }

    public func listUnfinished(_ visit: ([UnfinishedObject]) async throws -> Void) async throws {
        let root = "\(folder)/incoming"
        let found = try await pool.run {
            Folder.entries(root).compactMap { name -> UnfinishedObject? in
                var about = stat()
                let parts = name.split(separator: ".")
                guard parts.count == 2, let company = UUID(String(parts[0])), let id = UUID(String(parts[1])),
                    stat("\(root)/\(name)", &about) == 0
                else { return nil }
                return UnfinishedObject(
                    key: StorageKey(company: company, id: id),
                    state: StorageState(length: Int(about.st_size)),
                    begunAt: Timestamp(seconds: Int64(about.st_mtim.tv_sec)))
            }
        }
        if !found.isEmpty { try await visit(found) }
    }

    public func check() async -> String? {
        let key = StorageKey(company: .v7(), id: .v7())
        do {
            let writer = try await write(key)
            try await writer.write([1])
            try await writer.finish()
            try await delete(key)
            let shelf = place(key).dropLast(key.id.description.count + 1)
            try await pool.run { [shelf = String(shelf), company = "\(folder)/objects/\(key.company)"] in
                rmdir(shelf)
                rmdir(company)
            }
            return nil
        } catch StorageError.failed(let text) {
            return text
        } catch {
            return "\(error)"
        }
    }
}

/// Writes one object of a folder.
// @unchecked Sendable: used by one task at a time, as the protocol says.
final class FolderWriter: StorageWriter, @unchecked Sendable {
    private let storage: FolderStorage
    private let key: StorageKey
    private let file: DiskFile
    private var at: Int
    private var gathered: [UInt8] = []

    init(_ storage: FolderStorage, _ key: StorageKey, _ file: DiskFile, at: Int) {
        self.storage = storage
        self.key = key
        self.file = file
        self.at = at
    }

    func write(_ bytes: [UInt8]) async throws {
        gathered += bytes
        if gathered.count >= StorageLimits.writtenAtOnceBytes { try await flush() }
    }

    private func flush() async throws {
        guard !gathered.isEmpty else { return }
        let (piece, from, file) = (gathered, at, file)
        gathered = []
        try await storage.pool.run { try file.write(piece, at: from) }
        at += piece.count
    }

    func save() async throws -> StorageState {
        try await flush()
        let file = file
        try await storage.pool.run { try file.sync() }
        return StorageState(length: at)
    }

    func finish() async throws {
        try await flush()
        let (file, from, to, objects) = (
            file, storage.incoming(key), storage.place(key), "\(storage.folder)/objects"
        )
        try await storage.pool.run {
            try file.sync()
            let folder = String(to[..<to.lastIndex(of: "/")!])
            guard Folder.make(folder, mode: 0o700), rename(from, to) == 0 else {
                throw StorageError.failed("\(to): \(SystemError.last)")
            }
            // The name too has to survive a loss of power, and so has a folder that is new.
            let company = String(folder[..<folder.lastIndex(of: "/")!])
            for path in [folder, company, objects] { Folder.sync(path) }
        }
    }

    func abandon() async { try? await storage.abandon(key, StorageState()) }
}

/// An open file; its calls may wait for the disk.
final class DiskFile: Sendable {
    private let descriptor: Int32
    private let path: String

    init(_ path: String, _ flags: Int32) throws(StorageError) {
        self.path = path
        descriptor = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .failed("\(path): \(SystemError.last)") }
    }

    deinit { close(descriptor) }

    var length: Int {
        var about = stat()
        return fstat(descriptor, &about) == 0 ? Int(about.st_size) : 0
    }

    func cut(to length: Int) throws(StorageError) {
        guard ftruncate(descriptor, off_t(length)) == 0 else { throw failure }
    }

    func sync() throws(StorageError) {
        guard fdatasync(descriptor) == 0 else { throw failure }
    }

    func write(_ bytes: [UInt8], at offset: Int) throws(StorageError) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                pwrite(descriptor, $0.baseAddress! + done, $0.count - done, off_t(offset + done))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure }
            done += count
        }
    }

    /// Empty at the end.
    func read(at offset: Int, _ most: Int) throws(StorageError) -> [UInt8] {
        var failed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: most) { room, filled in
            var count = pread(descriptor, room.baseAddress, most, off_t(offset))
            while count < 0, errno == EINTR {
                count = pread(descriptor, room.baseAddress, most, off_t(offset))
            }
            failed = count < 0
            filled = max(0, count)
        }
        if failed { throw failure }
        return bytes
    }

    private var failure: StorageError { .failed("\(path): \(SystemError.last)") }
}
