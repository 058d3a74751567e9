import API
import Core
import Crypto
import Logging
import Loop
import Outbound
import Postgres
import Synchronization
import Telemetry
import Wire

/// What the routes and the background work of this domain share.
struct FileParts: Sendable {
    let storage: any Storage
    let pool: BlockingPool
    let links: FileLinkSeal
    let rules: FileRules
    let scanner: Clamd?
    let figures: FileFigures
    let slots: IntakeSlots
    let log = Logger(label: "files")

    init(_ environment: Environment) throws {
        let settings = environment[Settings.self]
        pool = Self.disk
        storage = try settings.openStorage(on: environment[LoopGroup.self], pool: pool)
        links = FileLinkSeal(environment[KeyRing.self], publicURL: environment[PublicAddress.self].url)
        rules = FileRules(settings)
        if let address = settings.clamdAddress {
            scanner = try Clamd(address: address, pool: pool)
        } else {
            scanner = nil
        }
        figures = FileFigures()
        slots = IntakeSlots()
        if let metrics = environment.find(Metrics.self) { metrics.observe(figures) }
    }

    /// The disk is one, however many instances a process holds.
    private static let disk = BlockingPool(
        label: "files", workers: StorageLimits.workers, queueLimit: StorageLimits.queued)

    /// Runs what touches the storage; its troubles become what they mean to the caller, and a line in the log.
    func storing<Value>(_ work: () async throws -> Value) async throws -> Value {
        do { return try await work() } catch let error as StorageError {
            log.error("the storage failed", metadata: ["cause": "\(error)"])
            switch error {
            case .missing: throw Problem(.fileContentLost)
            case .elsewhere: throw Problem(.uploadElsewhere)
            case .failed:
                throw Problem.unavailable(retryAfterSeconds: 5, "The storage does not answer as it should.")
            }
        }
    }
}

/// What the operator allows.
struct FileRules: Sendable {
    let bytesMax: Int
    let typesRefused: [String]
    let trashDays: Int
    let redirectsLinks: Bool

    init(_ settings: Settings) {
        bytesMax = settings.fileMegabytes << 20
        typesRefused = settings.fileTypesRefused
        trashDays = settings.fileTrashDays
        redirectsLinks = settings.s3Redirect
    }

    /// Throws when files of this type are not taken: `application/x-elf` or a whole family by `video/*`.
    func check(_ type: ContentType) throws(Problem) {
        let isRefused = typesRefused.contains { pattern in
            pattern.hasSuffix("/*") ? type.name.hasPrefix(pattern.dropLast()) : type.name == pattern
        }
        if isRefused { throw Problem(.fileTypeRefused).with("content_type", .string(type.name)) }
    }

    func check(bytes: Int) throws(Problem) {
        if bytes > bytesMax { throw tooLarge }
        if bytes <= 0 { throw Problem(.fileEmpty) }
    }

    var tooLarge: Problem { Problem(.fileTooLarge).with("bytes_max", JSON(bytesMax)) }
}

/// How many bodies of files this instance reads at once, all together and of one company: a slow sender must not keep the
/// others out.
final class IntakeSlots: Sendable {
    private let taken = Mutex<(all: Int, byCompany: [UUID: Int])>((0, [:]))

    func run<Value>(_ company: UUID, _ work: () async throws -> Value) async throws -> Value {
        let isFree = taken.withLock { taken in
            let own = taken.byCompany[company] ?? 0
            guard taken.all < FileLimits.intakesAtOnce, own < FileLimits.intakesOfCompany else {
                return false
            }
            taken.all += 1
            taken.byCompany[company] = own + 1
            return true
        }
        guard isFree else {
            throw Problem.unavailable(retryAfterSeconds: 5, "Too many uploads are going on at once.")
        }
        defer {
            taken.withLock { taken in
                taken.all -= 1
                let own = (taken.byCompany[company] ?? 1) - 1
                taken.byCompany[company] = own > 0 ? own : nil
            }
        }
        return try await work()
    }
}

/// Figures of this domain, for /metrics.
final class FileFigures: Sendable {
    let bytesReceived = Atomic<Int>(0)
    let filesKept = Atomic<Int>(0)
    let filesDeduplicated = Atomic<Int>(0)
    let uploadsAbandoned = Atomic<Int>(0)
    let filesPurged = Atomic<Int>(0)
    let orphansRemoved = Atomic<Int>(0)
    let objectsMissing = Atomic<Int>(0)
    let filesRejected = Atomic<Int>(0)
}

extension Atomic<Int> {
    func count(_ number: Int = 1) { wrappingAdd(number, ordering: .relaxed) }
    var value: Int { load(ordering: .relaxed) }
}

extension Metrics {
    func observe(_ figures: FileFigures) {
        let counters: [(String, String, @Sendable (FileFigures) -> Int)] = [
            ("file_bytes_received_total", "Bytes of files taken in.", { $0.bytesReceived.value }),
            ("files_kept_total", "Files made.", { $0.filesKept.value }),
            (
                "files_deduplicated_total", "Files whose content was there already.",
                { $0.filesDeduplicated.value }
            ),
            ("files_rejected_total", "Files refused for malware.", { $0.filesRejected.value }),
            ("files_purged_total", "Files gone for good.", { $0.filesPurged.value }),
            ("uploads_abandoned_total", "Uploads that nobody finished.", { $0.uploadsAbandoned.value }),
            (
                "storage_orphans_removed_total", "Objects without a row that the sweep removed.",
                { $0.orphansRemoved.value }
            ),
        ]
        for (name, help, read) in counters { observe(.counter, name, help) { Double(read(figures)) } }
        observe(.gauge, "storage_objects_missing", "Rows without an object, as the last sweep found.") {
            Double(figures.objectsMissing.value)
        }
    }
}
