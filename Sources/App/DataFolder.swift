import CLinux
import Core
import Glibc

/// The folder of one Infinity, locked for it alone while it runs.
///
/// The lock is inherited by the embedded database: it is free only when that has ended too.
final class DataFolder {
    let path: String
    let lock: Int32

    var cluster: String { path + "/pg" }
    var clusterDraft: String { path + "/pg.tmp" }
    var sockets: String { Self.sockets(in: path) }
    var databaseLog: String { path + "/postgres.log" }

    static func sockets(in path: String) -> String { path + "/run" }

    /// How long to wait for the database of an Infinity that was killed.
    private static let leftoverSeconds = 10

    init(_ path: String) throws(EmbeddedPostgresFault) {
        self.path = path
        let other = geteuid() == 0 ? "" : "; or set INFINITY_DATA to a folder that you may write"
        guard path.hasPrefix("/") else {
            throw EmbeddedPostgresFault(.unwritable, "INFINITY_DATA must begin with /, but is \(path)")
        }
        guard Folder.make(path, mode: geteuid() == 0 ? 0o755 : 0o700) else {
            throw EmbeddedPostgresFault(
                .unwritable,
                "the data folder \(path) cannot be made: \(SystemError.last); make it with: "
                    + "sudo install -d -o \(SystemUser.current?.name ?? "you") \(path)\(other)")
        }
        lock = open(path + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else {
            throw EmbeddedPostgresFault(
                .unwritable,
                "the data folder \(path) cannot be written: \(SystemError.last); mend it with: "
                    + "sudo chown -R \(SystemUser.current?.name ?? "you") \(path)\(other)")
        }
        try take()
    }

    deinit { close(lock) }

    private func take() throws(EmbeddedPostgresFault) {
        var tries = Self.leftoverSeconds * 50
        while flock(lock, LOCK_EX | LOCK_NB) != 0 {
            let holder = SmallFile.read(path + "/lock").flatMap { pid_t($0.prefix { $0.isNumber }) }
            if let holder, kill(holder, 0) == 0 || errno == EPERM {
                throw EmbeddedPostgresFault(
                    .inUse,
                    "the data folder \(path) is in use by another Infinity (process \(holder)); stop that one with: "
                        + "kill \(holder); or set INFINITY_DATA to another folder")
            }
            // Its Infinity is gone: the database is on its way out.
            tries -= 1
            guard tries > 0 else {
                throw EmbeddedPostgresFault(
                    .inUse,
                    "a database that nobody needs still runs on \(path); "
                        + "end it with: kill -INT $(head -1 \(cluster)/postmaster.pid)")
            }
            usleep(20_000)
        }
        let mine = "\(getpid())\n"
        ftruncate(lock, 0)
        _ = Array(mine.utf8).withUnsafeBytes { pwrite(lock, $0.baseAddress, $0.count, 0) }
    }
}
