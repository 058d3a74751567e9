import API
import Core
import Crypto
import Postgres

/// The files of a company: uploads whole or in pieces, what they are, who may have them, and their end.
///
/// Owns file_blobs, files, file_refs, uploads and file_deadlines. The bytes lie in the storage, under names made of
/// identifiers; a type is what the content says and never what a name does. Offers the port by which jobs keep what
/// they made and domains say what they use.
public enum FilesDomain: Domain {
    public static let name = "Files"
    public static let summary = "Uploads, downloads and what is kept of them."

    public static var routes: [Route] {
        StoredFiles.routes + FileUpload.routes + FileContent.routes + FileLinks.routes + FileTrash.routes
            + FileArchive.routes + FileUsage.routes + Uploads.routes
    }

    public static let permissions: [Permission] = [.filesRead, .filesWrite, .filesDelete]
    public static let problems = ProblemCode.ofFiles
    public static let quotas = [StorageQuota.quota]
    public static let events = FileEvents.all
    public static let jobs = [FileScan.handler]
    public static let queues = [FileScan.queue]
    public static let workers = [FileSweep.worker, OrphanSweep.worker]

    public static func start(_ environment: inout Environment) async throws {
        let parts = try FileParts(environment)
        environment.set(parts)
        environment.set(parts.keeping(environment[Database.self]))
        environment.set(
            Vault(parts.storage, environment[KeyRing.self], publicURL: environment[PublicAddress.self].url))
    }
}
