import Dispatch
import Glibc
import Synchronization

/// A PostgreSQL server of the tests' own: one for each process that runs tests, gone when that ends.
///
///     let database = try await TestCluster.shared.database()
///     … database.url …
public final class TestCluster: Sendable {
    /// The one of this process, started by whoever asks first.
    public static var shared: TestCluster {
        get async throws {
            try await offTheLoops { try started.get() }
        }
    }

    private static let started: Result<TestCluster, any Error> = Result {
        let cluster = try TestCluster()
        atexit { if case .success(let cluster) = TestCluster.started { cluster.remove() } }
        return cluster
    }

    /// Where the data and the socket lie.
    public let folder: String
    public let port: Int
    private let server = Mutex<ChildProcess?>(nil)
    private let templates = Mutex<[String: Task<Void, any Error>]>([:])
    private let binaries: String

    /// - Parameter settings: lines of postgresql.conf beyond the usual ones.
    public init(settings: [String] = []) throws {
        Self.removeLeftovers()
        binaries = try Self.findBinaries()
        folder = try Self.makeFolder()
        port = Self.freePort()
        try ChildProcess.run(
            [
                "\(binaries)/initdb", "-D", "\(folder)/data", "-U", "postgres", "-A", "trust", "-N",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
            ], as: Self.owner, folder: folder)
        try write(settings)
        try start()
    }

    /// A server that follows `primary` by streaming replication and may be read; the primary needs
    /// `wal_level = replica` and `max_wal_senders`.
    public init(following primary: TestCluster) throws {
        binaries = primary.binaries
        folder = try Self.makeFolder()
        port = Self.freePort()
        try ChildProcess.run(
            [
                "\(binaries)/pg_basebackup", "-D", "\(folder)/data", "-R", "-c", "fast", "-X", "stream", "-N",
                "-d", primary.url(database: "postgres"),
            ], as: Self.owner, folder: folder)
        try write(["wal_level = replica", "max_wal_senders = 4"])
        try start()
    }

    /// The account that may run a server.
    public static let owner = "postgres"

    private func write(_ settings: [String]) throws {
        let lines =
            [
                "listen_addresses = '127.0.0.1'", "port = \(port)", "unix_socket_directories = '\(folder)'",
                "max_connections = 200", "shared_buffers = 64MB", "fsync = off", "synchronous_commit = off",
                "full_page_writes = off", "wal_level = minimal", "max_wal_senders = 0", "autovacuum = off",
                "log_min_messages = warning",
            ] + settings
        let path = "\(folder)/data/postgresql.conf"
        guard let file = fopen(path, "a") else {
            throw ChildProcess.Failure(description: "cannot write \(path)")
        }
        fputs(lines.map { "\($0)\n" }.joined(), file)
        fclose(file)
    }

    /// Starts the server, again after a `stop` or a `crash`, and waits until it serves.
    public func start() throws {
        let child = try ChildProcess(
            ["\(binaries)/postgres", "-D", "\(folder)/data"], as: Self.owner, log: "\(folder)/server.log")
        server.withLock { $0 = child }
        for _ in 0..<1000 {
            if (try? psql("SELECT 1")) != nil { return }
            guard child.isRunning else { break }
            usleep(10_000)
        }
        throw ChildProcess.Failure(description: "no server: \(ChildProcess.read("\(folder)/server.log"))")
    }

    /// Ends the server at once, as a power cut would.
    public func crash() { end(SIGQUIT) }

    /// Ends the server in good order: clients are told.
    public func stop() { end(SIGINT) }

    /// Kills the first process outright; the others notice and go.
    public func kill() { end(SIGKILL) }

    private func end(_ signal: Int32) {
        guard let child = server.withLock({ $0.take() }) else { return }
        child.signal(signal)
        if child.wait(seconds: 10) == nil {
            child.signal(SIGKILL)
            child.wait(seconds: 5)
        }
    }

    // MARK: databases

    /// A database that is nobody else's, empty or a copy of `template`.
    public func database(template: String = "template1") async throws -> TestDatabase {
        let name = "test_\(UInt64.random(in: 0...UInt64.max))"
        try await Self.offTheLoops { [self] in _ = try psql("CREATE DATABASE \(name) TEMPLATE \(template)") }
        return TestDatabase(cluster: self, name: name)
    }

    /// A copy of a database that `prepare` fills once in this process.
    public func database(
        like template: String, prepare: @escaping @Sendable (TestDatabase) async throws -> Void
    ) async throws -> TestDatabase {
        let ready = templates.withLock { templates in
            if let known = templates[template] { return known }
            let task = Task { [self] in
                try await Self.offTheLoops { [self] in _ = try psql("CREATE DATABASE \(template)") }
                try await prepare(TestDatabase(cluster: self, name: template))
                // Copying needs a template that nobody is connected to.
                try await Self.offTheLoops { [self] in
                    try psql("ALTER DATABASE \(template) ALLOW_CONNECTIONS false")
                    try psql(
                        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '\(template)'"
                    )
                }
            }
            templates[template] = task
            return task
        }
        try await ready.value
        return try await database(template: template)
    }

    /// How a user reaches a database over the socket.
    public func url(database: String, user: String = "postgres") -> String {
        "postgresql://\(user)@/\(database)?host=\(folder)&port=\(port)"
    }

    public func tcpURL(database: String, user: String = "postgres") -> String {
        "postgresql://\(user)@127.0.0.1:\(port)/\(database)"
    }

    /// Runs SQL as the superuser by psql; gives what it printed.
    @discardableResult
    public func psql(_ sql: String, database: String = "postgres") throws -> String {
        try ChildProcess.run(
            ["\(binaries)/psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql, url(database: database)],
            folder: folder)
    }

    /// What pg_dump makes of a database: everything in it, as text.
    public func dump(database: String) throws -> String {
        try ChildProcess.run(["\(binaries)/pg_dump", "--inserts", url(database: database)], folder: folder)
    }

    /// Runs blocking work on a thread where it may.
    static func offTheLoops<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws
        -> Value
    {
        try await withUnsafeThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result { try work() }) }
        }
    }

    // MARK: surroundings

    /// Ends the server and takes its files away.
    public func remove() {
        end(SIGQUIT)
        Self.remove(folder)
    }

    private static let prefix = "infinity-test-"

    private static func makeFolder() throws -> String {
        var path = Array("/tmp/\(prefix)\(getpid())-XXXXXX".utf8CString)
        guard mkdtemp(&path) != nil else { throw ChildProcess.Failure(description: "/tmp cannot be written") }
        let folder = String(decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        if geteuid() == 0, let entry = getpwnam(owner) {
            chown(folder, entry.pointee.pw_uid, entry.pointee.pw_gid)
        }
        chmod(folder, 0o755)
        return folder
    }

    /// What processes that were killed have left behind.
    private static func removeLeftovers() {
        guard let directory = opendir("/tmp") else { return }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name.hasPrefix(prefix), let pid = pid_t(name.dropFirst(prefix.count).prefix { $0 != "-" })
            else { continue }
            if Glibc.kill(pid, 0) != 0, errno == ESRCH { remove("/tmp/\(name)") }
        }
    }

    private static func remove(_ folder: String) { _ = try? ChildProcess.run(["rm", "-rf", folder]) }

    private static func findBinaries() throws -> String {
        for version in (14...20).reversed() {
            let folder = "/usr/lib/postgresql/\(version)/bin"
            if access("\(folder)/postgres", X_OK) == 0 { return folder }
        }
        throw ChildProcess.Failure(
            description: "no PostgreSQL server is installed: apt-get install postgresql-15")
    }

    /// A port nobody listens on, below those the system gives to clients.
    public static func freePort() -> Int {
        while true {
            let port = Int.random(in: 20_000..<32_000)
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(descriptor) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(UInt16(port)).bigEndian
            address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
            let isFree = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            if isFree { return port }
        }
    }
}

/// One database of the test server.
public struct TestDatabase: Sendable {
    public let cluster: TestCluster
    public let name: String

    /// As the superuser, over the socket.
    public var url: String { cluster.url(database: name) }

    public func url(user: String) -> String { cluster.url(database: name, user: user) }

    /// Runs SQL as the superuser by psql; gives what it printed.
    @discardableResult
    public func psql(_ sql: String) throws -> String { try cluster.psql(sql, database: name) }

    /// Everything in it, as a backup would hold it.
    public func dump() throws -> String { try cluster.dump(database: name) }
}
