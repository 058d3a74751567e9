import Glibc

/// PgBouncer in transaction mode before the test server.
public final class TestPooler: Sendable {
    public let port: Int
    private let process: ChildProcess
    private let folder: String

    /// - Parameter serverConnections: how many real sessions all clients of one database share.
    public init(_ cluster: TestCluster, serverConnections: Int = 2) throws {
        port = TestCluster.freePort()
        folder = cluster.folder
        let path = "\(folder)/pgbouncer-\(port).ini"
        guard let file = fopen(path, "w") else {
            throw ChildProcess.Failure(description: "cannot write \(path)")
        }
        fputs(
            """
            [databases]
            * = host=\(folder) port=\(cluster.port)
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = \(port)
            unix_socket_dir =
            auth_type = any
            pool_mode = transaction
            default_pool_size = \(serverConnections)
            max_client_conn = 200
            log_connections = 0
            log_disconnections = 0

            """, file)
        fclose(file)
        // auth_type any needs the user in the connection line of the server.
        _ = try ChildProcess.run(["sed", "-i", "s|^\\* = .*|& user=postgres|", path], folder: folder)
        process = try ChildProcess(
            ["pgbouncer", path], as: TestCluster.owner, log: "\(folder)/pgbouncer-\(port).log")
        try waitUntilServing(cluster)
    }

    private func waitUntilServing(_ cluster: TestCluster) throws {
        for _ in 0..<500 {
            if (try? cluster.psql("SELECT 1", through: self)) != nil { return }
            guard process.isRunning else { break }
            usleep(10_000)
        }
        throw ChildProcess.Failure(description: ChildProcess.read("\(folder)/pgbouncer-\(port).log"))
    }

    public func url(database: String, user: String = "postgres") -> String {
        "postgresql://\(user)@127.0.0.1:\(port)/\(database)"
    }

    public func stop() {
        process.signal(SIGQUIT)
        process.wait(seconds: 5)
    }

    deinit { stop() }
}

extension TestCluster {
    func psql(_ sql: String, through pooler: TestPooler) throws -> String {
        try ChildProcess.run(["psql", "-XAtq", "-c", sql, pooler.url(database: "postgres")], folder: folder)
    }
}
