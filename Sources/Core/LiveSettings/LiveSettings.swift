import API
import Loop
import Postgres
import Synchronization
import Wire

/// The values of live settings, held in memory: asking is no trip to the database once a company has been heard of.
public final class LiveSettings: Sendable {
    public static let topic = "settings"

    private let db: Database
    /// By whose they are: a company's own under its id, a person's under the user's.
    private let values: Cache<UUID, [String: JSON]>
    private let own = Mutex<(values: [String: JSON], version: Int64)>(([:], 0))
    private let listeners = Mutex<[@Sendable (LiveSettings) -> Void]>([])

    /// Scopes kept at once; some hundred bytes each.
    private static let scopesMax = 20_000

    public init(_ db: Database, _ news: CacheNews) {
        self.db = db
        values = Cache(Self.topic, sizeMax: Self.scopesMax, life: .seconds(600), news: news)
        news.listen { [weak self] change in
            guard let self, change == nil || change?.topic == Self.topic,
                change?.company ?? FlagStore.system == FlagStore.system
            else { return }
            Task { try? await self.refresh() }
        }
    }

    /// Reads the values of the whole system; they are at hand without waiting from then on.
    public func refresh() async throws {
        let rows = try await db.batch(
            [
                "SELECT version FROM config_versions WHERE company_id = \(FlagStore.system) AND kind = 'settings'",
                "SELECT key, value FROM settings WHERE company_id = \(FlagStore.system) AND scope = 'system'",
            ], as: FlagStore.systemTenant)
        let version = try rows[0].first?.get("version", as: Int64.self) ?? 0
        let read = try Self.values(rows[1])
        own.withLock { if version >= $0.version { $0 = (read, version) } }
        for listener in listeners.withLock({ $0 }) { listener(self) }
    }

    /// Called now and after every change of the system's values.
    public func onSystemChange(_ listener: @escaping @Sendable (LiveSettings) -> Void) {
        listeners.withLock { $0.append(listener) }
        listener(self)
    }

    /// What holds for the system as a whole.
    public func system<Value>(_ setting: LiveSetting<Value>) -> Value {
        read(own.withLock { $0.values[setting.name] }, setting) ?? setting.default
    }

    /// Rises with every change of the system's values.
    public var systemVersion: Int64 { own.withLock { $0.version } }

    public func systemValue(_ name: String) -> JSON? { own.withLock { $0.values[name] } }

    /// What holds for a company.
    public func value<Value>(_ setting: LiveSetting<Value>, company: UUID) async throws -> Value {
        let found = try await scope(company, company: company)[setting.name]
        return read(found, setting) ?? system(setting)
    }

    public var figures: (entries: Int, hits: Int, misses: Int) { values.figures }

    private func scope(_ id: UUID, company: UUID) async throws -> [String: JSON] {
        try await values.value(id, company: company) { [db] in
            try Self.values(
                await db.query(
                    "SELECT key, value FROM settings WHERE company_id = \(company) AND scope_id = \(id)",
                    as: Tenant(company: company)))
        }
    }

    private static func values(_ rows: Rows) throws -> [String: JSON] {
        try rows.reduce(into: [:]) {
            $0[try $1.get("key")] = try JSON.parse($1.get("value", as: String.self))
        }
    }

    /// A value whose setting has changed its type since it was set counts as not set.
    private func read<Value>(_ json: JSON?, _ setting: LiveSetting<Value>) -> Value? {
        guard let json, let value = try? json.decode(Value.self), setting.check(value) == nil else {
            return nil
        }
        return value
    }
}
