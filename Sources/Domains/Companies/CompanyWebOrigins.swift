import API
import Core
import Postgres
import Synchronization
import Wire

/// From which web pages a company lets browsers call the API with its people's tokens.
enum CompanyWebOrigins {
    @RouteList static var routes: [Route] {
        GET(
            "/v1/company/web-origins", "Read from which web pages the API may be called", .can(.companyRead),
            read
        )
        .operation("getWebOrigins")
        PUT(
            "/v1/company/web-origins", "Set from which web pages the API may be called", .can(.securityWrite),
            write
        )
        .operation("setWebOrigins")
        .describe(
            "Replaces them all. Such pages may use bearer tokens of this company; cookies are for the installation's own "
                + "origins alone. Holds on every instance within a second."
        )
        .example(body: ["origins": ["https://app.example.com"]])
    }

    struct Origins: Codable, Sendable {
        let origins: UpTo<20, WebOrigin>
    }

    static let topic = "web-origins"

    static func read(_ call: Call) async throws -> Single<Origins> {
        try Single(await call.db.query(select(call.company)))
    }

    static func write(_ call: Call, _ body: Body<Origins>) async throws -> Single<Origins> {
        let company = try call.company
        let origins = Set(body.origins.items.map(\.text)).sorted()
        let record = Audit.sql(
            Audit.Entry(
                "company.web_origins_changed", on: "company", company,
                after: ["origins": .array(origins.map(JSON.string))]),
            by: call.actor, company: company)
        let news = call.environment.find(CacheNews.self)
        let rows = try await call.db.transaction { tx in
            let answers = try await tx.batch([
                "DELETE FROM web_origins WHERE of_company = \(company) AND origin <> ALL(\(origins))",
                """
                INSERT INTO web_origins (of_company, origin)
                SELECT \(company)::uuid, origin FROM unnest(\(origins)::text[]) AS given (origin) ON CONFLICT DO NOTHING
                """,
                record, select(company),
            ])
            try await news?.tell(topic, company: nil, in: tx)
            return answers[3]
        }
        return try Single(rows)
    }

    private static func select(_ company: UUID) -> SQL {
        "SELECT ARRAY(SELECT origin FROM web_origins WHERE of_company = \(company) ORDER BY origin) AS origins"
    }

    /// Keeps `origins` as the table has it, from now on.
    static func follow(_ news: CacheNews, _ db: Database, into origins: WebOrigins) {
        let reading = Reading()
        news.listen { change in
            guard change == nil || change?.topic == topic else { return }
            Task { try? await reading.refresh(db, origins) }
        }
    }

    /// Of two that read at once, the one that began later has the newer rows.
    private final class Reading: Sendable {
        private let counts = Mutex((begun: 0, kept: 0))

        func refresh(_ db: Database, _ origins: WebOrigins) async throws {
            let mine = counts.withLock { counts in
                counts.begun += 1
                return counts.begun
            }
            var all: [String: Set<UUID>] = [:]
            for row in try await db.query("SELECT of_company, origin FROM web_origins") {
                all[try row.get("origin"), default: []].insert(try row.get("of_company"))
            }
            let found = all
            counts.withLock { counts in
                guard mine > counts.kept else { return }
                counts.kept = mine
                origins.replace(found)
            }
        }
    }
}

/// Scheme, host and port as browsers send them: `https://app.example.com`. Without TLS only on one's own machine.
struct WebOrigin: TextValue, SQLBindable {
    let text: String
    init(unchecked text: String) { self.text = text }

    static var rule: TextRule {
        TextRule(length: 10...255, format: "uri", pattern: "^https?://[^/]+$") { text in
            let lower = text.lowercased()
            let isHere = ["http://localhost", "http://127.0.0.1"].contains {
                lower == $0 || lower.hasPrefix($0 + ":")
            }
            guard lower.hasPrefix("https://") || isHere else { return "must start with https://" }
            let host = lower.drop { $0 != ":" }.dropFirst(3)
            guard !host.contains("/"), !host.contains("?"), !host.contains("#"), WebURL(text) != nil else {
                return "must be scheme, host and perhaps port, with nothing behind it"
            }
            return lower.hasSuffix(":443") && !isHere ? "is sent by browsers without the usual port" : nil
        }
    }
    static var exampleText: String { "https://app.example.com" }
    static func tidied(_ text: String) -> String { text.lowercased() }
}
