import App
import Core
import Crypto
import Glibc
import Postgres
import Synchronization
import TestCluster
import Wire

/// A whole Infinity over a database of its own, answering on a free port of this machine.
public final class TestServer: Sendable {
    public let instance: Instance
    public let database: TestDatabase
    public let port: UInt16

    /// One for the whole test process, for tests that keep to companies they made themselves.
    public static func shared() async throws -> TestServer { try await sharedTask.value }
    private static let sharedTask = Task { try await TestServer() }

    /// A server with its own database, or a second one beside another server's.
    /// - Parameters:
    ///   - domains: more of them, for tests of what domains have in common.
    ///   - tables: SQL that makes what those own.
    public convenience init(
        beside other: TestServer? = nil, _ variables: [String: String] = [:],
        adding domains: [any Domain.Type] = [],
        tables: String? = nil
    ) async throws {
        let database = if let other { other.database } else { try await Self.migratedDatabase() }
        if let tables { _ = try database.psql(tables) }
        try await self.init(on: database, variables, adding: domains)
    }

    /// A server on a database that has been migrated.
    public init(
        on database: TestDatabase, _ variables: [String: String] = [:], adding domains: [any Domain.Type] = []
    ) async throws {
        self.database = database
        var all = try await Self.variables
        all["DATABASE_URL"] = database.url
        all.merge(variables) { _, given in given }
        let settings = try Settings.load(all)
        instance = try await Instance(
            settings, databaseURL: database.url, domains: Instance.domains + domains)
        port = UInt16(try await instance.start()[0])
    }

    public var client: Client { Client(port: port, contract: Contract(instance.application.routes)) }

    public func stop() async { await instance.stop() }

    /// The mails queued for an address, newest last, once there are at least `count` of them.
    public func mails(to address: String, atLeast count: Int = 1) async throws -> [JSON] {
        try await eventually {
            let rows = try await self.instance.database.query(
                """
                SELECT coalesce(jsonb_agg(to_jsonb(m) ORDER BY m.created_at, m.id), '[]')::text AS mails
                  FROM mail_queue m
                 WHERE lower(m.to_address) = lower(\(address))
                """)
            let mails = try (JSON.parse(rows[0].get("mails", as: String.self)).arrayValue ?? []).map(
                Self.opened)
            return mails.count >= count ? mails : nil
        }
    }

    /// The mail with the values it was queued with.
    public static func opened(_ mail: JSON) throws -> JSON {
        guard case .object(var members) = mail, let id = mail["id"]?.stringValue.flatMap({ UUID($0) }) else {
            return mail
        }
        var context = JSON.Object()
        for (key, value) in try MailSeal.values(mail["context"] ?? .null, of: id) {
            context[key] = .string(value)
        }
        members["context"] = .object(context)
        return .object(members)
    }

    private static let keys = (
        secret: "test:" + Base64.encode(RandomBytes.make(32)), pepper: Base64.encode(RandomBytes.make(32))
    )

    /// What every server of this process has in common, so that two of them can stand beside one database.
    private static var variables: [String: String] {
        get async throws {
            [
                "INFINITY_MODE": "development", "INFINITY_BIND": "127.0.0.1",
                "INFINITY_HTTP_PORT": String(TestCluster.freePort()),
                "INFINITY_HTTPS_PORT": "0", "INFINITY_SECRET_KEY": keys.secret,
                "INFINITY_PASSWORD_PEPPER": keys.pepper,
                "INFINITY_BCRYPT_COST": "4", "INFINITY_RATE_LIMITS": "off", "INFINITY_ACCESS_LOG": "off",
                "INFINITY_DATA": try await TestCluster.shared.folder,
            ]
        }
    }

    /// A fresh copy of the migrated schema.
    public static func migratedDatabase(in cluster: TestCluster? = nil) async throws -> TestDatabase {
        let shared = try await TestCluster.shared
        return try await (cluster ?? shared).database(like: "infinity_template") { database in
            let migrator = try Migrator(url: database.url, folder: ShippedFiles.migrations)
            _ = try await migrator.migrate()
        }
    }
}

/// Asks again until there is an answer; a failure after ten seconds.
public func eventually<Value>(
    within limit: Duration = .seconds(10), _ ask: () async throws -> Value?
) async throws -> Value {
    let end = ContinuousClock.now + limit
    while true {
        if let value = try await ask() { return value }
        guard ContinuousClock.now < end else {
            throw Client.Failure(description: "did not happen within \(limit)")
        }
        try await Task.sleep(for: .milliseconds(10))
    }
}
