import CLinux
import Core
import Glibc

/// A PostgreSQL of our own: a child process on a unix socket in the data folder, without a port and without
/// passwords (the system's word for who connects is enough). For development and small installations.
///
/// It dies with the thread that started it, so that a killed Infinity leaves nothing behind: start it on the main
/// thread, and stay there.
public final class EmbeddedPostgres {
    public let version: Int
    private let binaries: PostgresBinaries
    private let folder: DataFolder
    private let account: DatabaseAccount
    private var child: ChildProcess

    public var socketFolder: String { folder.sockets }

    private static let readySeconds = 60
    private static let fastStopSeconds = 10

    /// Makes the database on the first start, and comes back when it can be connected to.
    public init(settings: Settings) throws(EmbeddedPostgresFault) {
        account = try DatabaseAccount(settings: settings)
        folder = try DataFolder(settings.data)
        binaries = try PostgresBinaries.find(
            chosen: settings.postgresBin, dataMajor: PostgresCluster.major(folder.cluster))
        version = binaries.major
        try account.checkReach(folder.path)
        let cluster = PostgresCluster(folder: folder, binaries: binaries, account: account)
        if PostgresCluster.major(folder.cluster) == nil { try cluster.make() }
        try cluster.configure()
        child = try cluster.start()
        try awaitReady()
    }

    /// How the database ended, if it did although nobody stopped it.
    public func ended() -> String? { child.ended().map(\.description) }

    /// Starts it again after it ended by itself; on the same thread as the first time.
    public func restart() throws(EmbeddedPostgresFault) {
        child = try PostgresCluster(folder: folder, binaries: binaries, account: account).start()
        try awaitReady()
    }

    /// Ends it: sessions are cut off, what was committed is kept.
    public func stop() {
        for (signal, seconds) in [(SIGINT, Self.fastStopSeconds), (SIGQUIT, 5), (SIGKILL, 60)] {
            child.send(signal)
            for _ in 0..<seconds * 200 {
                if child.ended() != nil { return }
                usleep(5000)
            }
        }
    }

    /// The server writes `ready` into its own file when it takes connections.
    private func awaitReady() throws(EmbeddedPostgresFault) {
        for _ in 0..<Self.readySeconds * 200 {
            if let exit = child.ended() {
                throw EmbeddedPostgresFault(
                    .failed, "the embedded PostgreSQL ended at once (\(exit)): \(lastWords)")
            }
            let lines = (SmallFile.read(folder.cluster + "/postmaster.pid") ?? "")
                .split(separator: "\n", omittingEmptySubsequences: false)
            if lines.count >= 8, pid_t(lines[0]) == child.pid, lines[7].hasPrefix("ready") { return }
            usleep(5000)
        }
        stop()
        throw EmbeddedPostgresFault(
            .failed, "the embedded PostgreSQL was not ready after \(Self.readySeconds) s: \(lastWords)")
    }

    private var lastWords: String { PostgresCluster.lastWords(folder.databaseLog) }

    /// How the database of a data folder is reached, whichever process runs it, as the role that serves: it cannot pass
    /// the row-level security.
    public static func url(in data: String) -> String { url(in: data, role: PostgresCluster.server) }

    /// The same as the role that owns the tables, for migrations.
    public static func ownerURL(in data: String) -> String { url(in: data, role: PostgresCluster.owner) }

    private static func url(in data: String, role: String) -> String {
        let host = DataFolder.sockets(in: data).utf8.reduce(into: "") { text, byte in
            let isPlain = byte.isASCIIAlphanumeric || "-_.".utf8.contains(byte)
            let digits = String(byte, radix: 16, uppercase: true)
            text += isPlain ? String(UnicodeScalar(byte)) : "%" + (digits.count == 1 ? "0" : "") + digits
        }
        return "postgres://\(role)@\(host):\(PostgresCluster.port)/\(PostgresCluster.database)"
    }
}

extension UInt8 {
    fileprivate var isASCIIAlphanumeric: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: false
        }
    }
}
