import Core
import Glibc

/// The programs of one PostgreSQL installation.
struct PostgresBinaries: Equatable {
    let folder: String
    let major: Int

    static let majorMin = 15

    var initdb: String { folder + "/initdb" }
    var postgres: String { folder + "/postgres" }

    /// Finds the programs: those in `chosen`, else those of the version the data was made with, else the newest.
    ///
    /// Another major version is never started on existing data.
    static func find(chosen: String?, dataMajor: Int?) throws(EmbeddedPostgresFault) -> PostgresBinaries {
        let found =
            try chosen.map { folder throws(EmbeddedPostgresFault) in try at(folder) } ?? installed(dataMajor)
        guard let found else {
            let package = dataMajor.map { "postgresql-\($0)" } ?? "postgresql"
            let what = dataMajor.map { "PostgreSQL \($0), with which the data was made, is not installed" }
            throw EmbeddedPostgresFault(
                .notInstalled,
                "\(what ?? "there is no PostgreSQL here"); install it with: apt-get install --no-install-recommends "
                    + "\(package); or set DATABASE_URL to a server of your own")
        }
        if let dataMajor, found.major != dataMajor {
            throw EmbeddedPostgresFault(
                .wrongVersion,
                "the data was made with PostgreSQL \(dataMajor), but \(found.folder) has \(found.major); "
                    + "install that version with: apt-get install --no-install-recommends postgresql-\(dataMajor); "
                    + "or move the data with pg_upgrade")
        }
        guard found.major >= majorMin else {
            throw EmbeddedPostgresFault(
                .wrongVersion,
                "PostgreSQL \(majorMin) or later is needed, but \(found.folder) has \(found.major); "
                    + "set INFINITY_PG_BIN to a newer one, or DATABASE_URL to a server of your own")
        }
        return found
    }

    /// The programs in a folder that somebody chose.
    private static func at(_ folder: String) throws(EmbeddedPostgresFault) -> PostgresBinaries? {
        guard access(folder + "/initdb", X_OK) == 0, let major = askVersion(folder + "/postgres") else {
            throw EmbeddedPostgresFault(
                .notInstalled,
                "INFINITY_PG_BIN is \(folder), but there is no `initdb` and `postgres` to run in it")
        }
        return PostgresBinaries(folder: folder, major: major)
    }

    /// Debian and Ubuntu keep each major version in a folder of its own; elsewhere the PATH has one.
    private static func installed(_ wanted: Int?) -> PostgresBinaries? {
        let root = "/usr/lib/postgresql"
        let majors = Folder.entries(root).compactMap { Int($0) }.sorted(by: >)
        for major in majors where wanted == nil || major == wanted {
            let folder = "\(root)/\(major)/bin"
            if access(folder + "/initdb", X_OK) == 0 { return PostgresBinaries(folder: folder, major: major) }
        }
        for folder in ["/usr/bin", "/usr/local/bin", "/usr/local/pgsql/bin"] {
            if access(folder + "/initdb", X_OK) == 0, let major = askVersion(folder + "/postgres"),
                wanted == nil || major == wanted
            {
                return PostgresBinaries(folder: folder, major: major)
            }
        }
        return nil
    }

    /// The major version in what `postgres --version` prints: `postgres (PostgreSQL) 15.20 (Debian …)`.
    private static func askVersion(_ program: String) -> Int? {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        defer { close(ends[0]) }
        let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer { close(nothing) }
        let child = ChildProcess.start(
            [program, "--version"], environment: ["LC_ALL": "C"], input: nothing, output: ends[1])
        close(ends[1])
        guard let child, child.wait() == .code(0) else { return nil }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = read(ends[0], &bytes, bytes.count)
        let words = String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self).split {
            $0 == " " || $0 == "\n"
        }
        guard let at = words.firstIndex(of: "(PostgreSQL)"), at + 1 < words.count else { return nil }
        return Int(words[at + 1].prefix { $0.isNumber })
    }
}
