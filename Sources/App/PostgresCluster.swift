import CLinux
import Core
import Glibc

/// The files of the embedded database: made once, configured at each start.
struct PostgresCluster {
    let folder: DataFolder
    let binaries: PostgresBinaries
    let account: DatabaseAccount

    static let database = "infinity"
    static let owner = "infinity"
    static let server = "infinity_app"
    static let superuser = "postgres"
    /// Only names the socket: there is no TCP port.
    static let port = 5432
    private static let socketPathBytesMax = 107

    /// The major version the files were made with, or nil when there are none.
    static func major(_ cluster: String) -> Int? {
        SmallFile.read(cluster + "/PG_VERSION").flatMap { Int($0.prefix { $0.isNumber }) }
    }

    /// Makes the files under another name and renames them when they are whole: a start that was cut off leaves
    /// nothing that the next one would take for a database.
    func make() throws(EmbeddedPostgresFault) {
        if Folder.exists(folder.cluster) {
            throw EmbeddedPostgresFault(
                .failed,
                "\(folder.cluster) is no database; move it away with: mv \(folder.cluster) \(folder.cluster).old"
            )
        }
        Folder.remove(folder.clusterDraft)
        try account.makeFolder(folder.clusterDraft)
        try run([
            binaries.initdb, "--pgdata", folder.clusterDraft, "--username", Self.superuser,
            "--auth-local=peer",
            "--auth-host=reject", "--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums",
            "--no-instructions",
        ])
        try run(
            [
                binaries.postgres, "--single", "-D", folder.clusterDraft, "-c", "exit_on_error=on", "-c",
                "fsync=off",
                "-c", "log_min_messages=error", "template1",
            ],
            input: """
                CREATE ROLE \(Self.owner) LOGIN CREATEROLE NOSUPERUSER NOBYPASSRLS
                CREATE ROLE \(Self.server) LOGIN NOSUPERUSER NOBYPASSRLS
                GRANT \(Self.server) TO \(Self.owner)
                CREATE DATABASE \(Self.database) OWNER \(Self.owner)

                """)
        // Everything in one go: file by file it takes seconds on a busy disk.
        Folder.syncTree(folder.clusterDraft)
        guard rename(folder.clusterDraft, folder.cluster) == 0 else {
            throw EmbeddedPostgresFault(.failed, "\(folder.cluster) cannot be made: \(SystemError.last)")
        }
        Folder.sync(folder.path)
    }

    /// Writes who may connect and how the server is tuned; the machine and the user may be others than last time.
    func configure() throws(EmbeddedPostgresFault) {
        guard (folder.sockets + "/.s.PGSQL.\(Self.port)").utf8.count <= Self.socketPathBytesMax else {
            throw EmbeddedPostgresFault(
                .unwritable,
                "\(folder.path) is too long for a unix socket; set INFINITY_DATA to a shorter path")
        }
        try account.makeFolder(folder.sockets)
        try write("pg_hba.conf", "local all all peer map=infinity\nlocal replication all peer map=infinity\n")
        let names = Set([account.client.name, account.user.name]).sorted()
        let roles = [Self.owner, Self.server, Self.superuser]
        let lines = names.flatMap { name in roles.map { "infinity \"\(name)\" \($0)\n" } }
        try write("pg_ident.conf", lines.joined())
        let hasCustom = access(folder.cluster + "/custom.conf", R_OK) == 0
        try write(
            "infinity.conf", PostgresTuning.configuration(sockets: folder.sockets, hasCustom: hasCustom))
    }

    func start() throws(EmbeddedPostgresFault) -> ChildProcess {
        let program = [
            binaries.postgres, "-D", folder.cluster, "-c", "config_file=\(folder.cluster)/infinity.conf",
        ]
        return try launch(program, input: nil)
    }

    /// The last thing the database said, for an error message.
    static func lastWords(_ log: String) -> String {
        let lines = (SmallFile.read(log) ?? "").split(separator: "\n")
        return lines.last { $0.contains("FATAL") || $0.contains("ERROR") || $0.contains("error:") }.map(
            String.init)
            ?? lines.last.map(String.init) ?? "it said nothing"
    }

    private func run(_ program: [String], input: String? = nil) throws(EmbeddedPostgresFault) {
        let exit = try launch(program, input: input).wait()
        guard exit == .code(0) else {
            throw EmbeddedPostgresFault(
                .failed, "the database could not be made (\(exit)): \(Self.lastWords(folder.databaseLog))")
        }
    }

    private func launch(_ program: [String], input: String?) throws(EmbeddedPostgresFault) -> ChildProcess {
        // Each start writes its log anew; the former one is kept beside it.
        rename(folder.databaseLog, folder.databaseLog + ".1")
        let log = open(folder.databaseLog, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0o600)
        defer { close(log) }
        let reading = input.map(Self.pipe(holding:)) ?? open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer { close(reading) }
        let child = ChildProcess.start(
            account.command(program), environment: account.environment, input: reading, output: log,
            inherited: folder.lock)
        guard let child else {
            throw EmbeddedPostgresFault(.failed, "\(program[0]) cannot be started: \(SystemError.last)")
        }
        return child
    }

    /// A pipe that gives the text; short texts fit whole into its buffer.
    private static func pipe(holding text: String) -> Int32 {
        var ends: [Int32] = [-1, -1]
        guard pipe2(&ends, O_CLOEXEC) == 0 else { return -1 }
        _ = Array(text.utf8).withUnsafeBytes { Glibc.write(ends[1], $0.baseAddress, $0.count) }
        close(ends[1])
        return ends[0]
    }

    private func write(_ name: String, _ text: String) throws(EmbeddedPostgresFault) {
        let path = "\(folder.cluster)/\(name)"
        let draft = path + ".new"
        unlink(draft)
        guard SmallFile.create(draft, text), chown(draft, account.user.uid, account.user.gid) == 0,
            rename(draft, path) == 0
        else { throw EmbeddedPostgresFault(.unwritable, "\(path) cannot be written: \(SystemError.last)") }
    }
}
