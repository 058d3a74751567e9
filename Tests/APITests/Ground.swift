import API
import Crypto
import Glibc
import HTTP
import Loop
import Postgres
import Telemetry
import TestCluster
import Testing
import Wire

/// A live server over a database of its own, with the domain `Boards`.
final class Ground: Sendable {
    static let loops = LoopGroup(count: 2)
    let test: TestDatabase
    let database: Database
    let application: Application
    let server: HTTPServer
    let port: Int

    static let companies = [UUID(high: 1, low: 1), UUID(high: 2, low: 2)]

    init(
        more domains: [DomainRoutes] = [], accessLog: AccessLog? = nil,
        adjust: (inout APIConfiguration) -> Void = { _ in }
    ) async throws {
        test = try await TestCluster.shared.database(like: "api_tests") { _ = try $0.psql(Self.schema) }
        database = Database(DatabaseConfiguration(url: test.url), loops: Self.loops)
        var configuration = APIConfiguration(
            secret: Array("not much of a secret".utf8),
            keyRing: KeyRing([KeyRing.Key(id: "k1", secret: [UInt8](repeating: 7, count: 32))!])!)
        configuration.quotas = ["default": 0, "open": 0]
        adjust(&configuration)
        application = try Application(
            [Boards.domain] + domains, configuration: configuration, authenticator: Names(),
            database: database,
            metrics: Metrics(), accessLog: accessLog)
        server = try HTTPServer(
            Self.loops, HTTPConfiguration(listeners: [.init(host: "127.0.0.1", port: 0)]), application)
        port = try server.start()[0]
    }

    deinit {
        let (server, database) = (server, database)
        server.beginDrain()
        Task { await database.close() }
    }

    func client() -> Client { Client(port: port, ground: self) }

    static let schema = """
        DO $$ BEGIN CREATE ROLE infinity_app NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
        CREATE TABLE boards (company_id uuid NOT NULL, id uuid NOT NULL, name text NOT NULL, note text,
            state text NOT NULL DEFAULT 'open', price_cents bigint NOT NULL, tags text[] NOT NULL DEFAULT '{}',
            version integer NOT NULL DEFAULT 1, created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT boards_pkey PRIMARY KEY (company_id, id),
            CONSTRAINT boards_name_key UNIQUE (company_id, name));
        ALTER TABLE boards ENABLE ROW LEVEL SECURITY;
        ALTER TABLE boards FORCE ROW LEVEL SECURITY;
        CREATE POLICY tenant ON boards
            USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
            WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
        """ + idempotencyKeys + """

            GRANT SELECT, INSERT, UPDATE, DELETE ON boards, idempotency_keys TO infinity_app;
            """

    /// The table as the migration makes it.
    static let idempotencyKeys: String = {
        let here = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        guard let file = fopen("/\(here)/Migrations/0005_idempotency_keys.sql", "r") else { return "" }
        defer { fclose(file) }
        var text = [UInt8](repeating: 0, count: 1 << 16)
        return String(decoding: text[..<fread(&text, 1, text.count, file)], as: UTF8.self)
    }()
}

/// Tokens that say who one is: `owner-0` is the owner in the first company, `viewer-1` a viewer in the second,
/// `nobody` is logged in without a company. Names that begin with `slow-` take a while to look up.
struct Names: Authenticator {
    func cachedPrincipal(for request: Request) -> Principal?? {
        guard let token = token(request) else { return .some(nil) }
        return token.hasPrefix("slow-") ? nil : find(token).map { .some($0) }
    }

    func principal(for request: Request) async throws(Problem) -> Principal? {
        guard let token = token(request) else { return nil }
        await Task.yield()
        guard let principal = find(token.hasPrefix("slow-") ? String(token.dropFirst(5)) : token) else {
            throw .unauthorized("This token is not valid.", error: "invalid_token")
        }
        return principal
    }

    private func token(_ request: Request) -> String? {
        request.header("authorization").map { String($0.dropFirst("Bearer ".count)) }
    }

    private func find(_ token: String) -> Principal? {
        if token == "nobody" { return Principal(userId: UUID(high: 9, low: 9)) }
        let parts = token.split(separator: "-")
        guard parts.count == 2, let role = BuiltInRole(rawValue: String(parts[0])), let index = Int(parts[1])
        else { return nil }
        return Principal(
            userId: UUID(high: 9, low: UInt64(index)), companyId: Ground.companies[index],
            memberId: UUID(high: 8, low: UInt64(index)),
            permissions: PermissionSet.of(role, among: [.boardsRead, .boardsWrite]))
    }
}
