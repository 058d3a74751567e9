import API
import Loop
import Postgres
import Synchronization
import Wire

/// The flags in memory of this instance: decisions are made from here, without asking the database.
///
/// The product's own flags are always here; a company's are fetched when it first asks, and both are dropped the moment
/// they change on any instance. While the database is away the last known ones go on to hold.
public final class FlagStore: Sendable {
    public static let topic = "flags"
    /// The owner of the product's own flags and settings: a company that is nobody's.
    public static let system = Audit.installation
    public static let systemTenant = Tenant(company: system)

    private let db: Database
    private let sets: Cache<Int, FlagSet>
    private let own = Mutex(FlagSet.empty)
    private let sightings = Mutex<[Sighting: Int64]>([:])
    private let tasks = Mutex<[Task<Void, Never>]>([])

    private struct Sighting: Hashable {
        let owner: UUID
        let key: String
    }

    /// Sets of companies kept at once; some kilobytes each.
    private static let setsMax = 5_000
    private static let tellEvery: Duration = .seconds(10)

    public init(_ db: Database, _ news: CacheNews) {
        self.db = db
        sets = Cache(Self.topic, sizeMax: Self.setsMax, life: .seconds(600), news: news)
        news.listen { [weak self] change in
            guard let self, change == nil || change?.topic == Self.topic,
                change?.company ?? Self.system == Self.system
            else { return }
            Task { try? await self.refresh() }
        }
    }

    /// Reads the product's flags and begins to tell which flags are asked for.
    public func start(on loop: EventLoop) async throws {
        try await refresh()
        let telling = loop.task { [self] in
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.tellEvery)
                try? await tellSightings()
            }
        }
        tasks.withLock { $0 = [telling] }
    }

    public func stop() async {
        for task in tasks.withLock({ $0 }) { task.cancel() }
        try? await tellSightings()
    }

    /// The product's own flags.
    public var system: FlagSet { own.withLock { $0 } }

    public func refresh() async throws {
        let set = try await Self.load(Self.system, db)
        // Two reads may overtake each other; the later version stays.
        own.withLock { if set.version >= $0.version { $0 = set } }
    }

    /// An owner's flags: from memory, or fetched once.
    public func set(of owner: UUID) async throws -> FlagSet {
        if owner == Self.system { return system }
        return try await sets.value(0, company: owner) { [db] in try await Self.load(owner, db) }
    }

    public var figures: (entries: Int, hits: Int, misses: Int) { sets.figures }

    static func load(_ owner: UUID, _ db: Database) async throws -> FlagSet {
        try FlagSet(rows: await db.batch(statements(owner), as: Tenant(company: owner)))
    }

    /// The same inside a transaction that is about to change them.
    public static func load(_ owner: UUID, in tx: Transaction) async throws -> FlagSet {
        try FlagSet(rows: await tx.batch(statements(owner)))
    }

    private static func statements(_ owner: UUID) -> [SQL] {
        [
            // First, so that the flags are at least as new as the version says.
            "SELECT version FROM config_versions WHERE company_id = \(owner) AND kind = 'flags'",
            """
            SELECT key, is_on, archived_at IS NOT NULL AS is_archived, salt, rules, version
              FROM feature_flags WHERE company_id = \(owner)
            """,
            "SELECT key, conditions FROM segments WHERE company_id = \(owner)",
        ]
    }
}

/// When flags were last asked for.
extension FlagStore {
    /// Remembers that a flag was asked for; written down now and then.
    public func saw(_ key: String, owner: UUID) {
        sightings.withLock { $0[Sighting(owner: owner, key: key), default: 0] += 1 }
    }

    public func tellSightings() async throws {
        let seen = sightings.withLock { seen in
            defer { seen = [:] }
            return seen
        }
        for (owner, ones) in Dictionary(grouping: seen, by: \.key.owner) {
            let ones = ones.sorted { $0.key.key < $1.key.key }
            _ = try await db.query(
                """
                INSERT INTO flag_sightings (company_id, flag_id, last_seen_at, evaluations)
                SELECT f.company_id, f.id, now(), s.count
                  FROM unnest(\(ones.map(\.key.key))::text[], \(ones.map(\.value))::bigint[]) AS s (key, count)
                  JOIN feature_flags f ON f.company_id = \(owner) AND f.key = s.key
                 ORDER BY f.id
                ON CONFLICT (company_id, flag_id) DO UPDATE
                   SET last_seen_at = excluded.last_seen_at,
                       evaluations = flag_sightings.evaluations + excluded.evaluations
                """, as: Tenant(company: owner))
        }
    }
}

extension FlagSet {
    fileprivate init(rows: [Rows]) throws {
        let flags = try rows[1].map { row in
            FlagState(
                key: try row.get("key"), isOn: try row.get("is_on"), isArchived: try row.get("is_archived"),
                salt: try row.get("salt"),
                rules: try JSON.parse(row.get("rules", as: String.self)).decode(FlagRules.self),
                version: try row.get("version"))
        }
        let segments = try rows[2].map { row in
            (
                try row.get("key", as: String.self),
                try JSON.parse(row.get("conditions", as: String.self)).decode([FlagCondition].self)
            )
        }
        self.init(
            flags: flags, segments: Dictionary(segments) { first, _ in first },
            version: try rows[0].first?.get("version") ?? 0)
    }
}
