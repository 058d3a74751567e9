import API
import Core
import Postgres
import Wire

/// Settings of the company and of each person in it; operators' own routes set those of the system.
struct SettingRoutes: Sendable {
    let base: String
    let whose: Owner
    let access: Access

    static let ofSystem = SettingRoutes(base: "/v1/system/settings", whose: .system, access: .operator)
    static let ofCompany = SettingRoutes(base: "/v1/settings", whose: .company, access: .member)

    @RouteList var routes: [Route] {
        GET(base, "List settings", access, list)
            .describe(
                "What holds for the caller, and where it was set: for the user, the company, the system, or nowhere."
            )
        GET("\(base)/schema", "Read what settings may be", access, schema)
        GET("\(base)/export", "Export settings", access, export)
            .describe("What is set in the scope, to be imported elsewhere. Defaults are left out.")
        POST("\(base)/import", "Import settings", access, importAll)
            .describe(
                "All or nothing. With `dry_run` it only says what would change; with `replaces` what is not named is cleared."
            )
            .example(body: ["settings": ["interface.theme": "dark"], "dry_run": true])
        GET("\(base)/{key}", "Read a setting", access, read)
        PUT("\(base)/{key}", "Set a setting", access, put).ifMatch(.accepted).problems(.approvalRequired)
            .example(body: ["value": "dark"])
        DELETE("\(base)/{key}", "Clear a setting", access, clear).ifMatch(.accepted).describe(
            "What is set farther out holds again."
        )
        .problems(.approvalRequired)
        GET("\(base)/{key}/history", "List a setting's versions", access, history)
        POST("\(base)/{key}/revert/{version}", "Go back to an earlier value", access, revert).ifMatch(
            .accepted
        ).problems(.approvalRequired)
    }

    struct ScopeQuery: Codable, Sendable, FieldNotes {
        let scope: SettingScope?
        static let fieldNotes = ["scope": "`company` when absent; `user` for the caller alone."]
    }

    struct State: Codable, Sendable, FieldNotes {
        let key: String
        let summary: String
        let scopes: [SettingScope]
        let value: JSON?
        let source: Source
        let `default`: JSON?

        static let fieldNotes = [
            "value": "What holds for the caller.", "source": "Where that was set.",
            "scopes": "Where it may be set.",
        ]
    }

    enum Source: String, Codable, CaseIterable, Sendable {
        case user, company, system
        case fallback = "default"
    }

    struct KeyOrder: ListFilter {
        static let sorts = ["key"]
        static let search = ["key", "summary"]
    }

    func list(_ call: Call, _ list: List<KeyOrder>) async throws -> Page<State> {
        try await call.page(list, select(LiveSettingCatalogue.all, call), as: whose.tenant(call))
    }

    func read(_ call: Call, _ key: Path<Text<80>>) async throws -> Single<State> {
        let setting = try named(key.text)
        let rows = try await call.db.query(
            "SELECT key, summary, scopes, value, source, \"default\" FROM (\(fragment: select([setting], call))) one",
            as: whose.tenant(call))
        return try Single(rows)
    }

    /// The system's values are in memory; only the nearer ones are read.
    private func select(_ settings: [AnyLiveSetting], _ call: Call) throws -> SQL {
        let live = call.environment[LiveSettings.self]
        let owner = try whose.id(call)
        let system = settings.map { live.systemValue($0.name) }
        let scopes = settings.map { setting in
            SettingScope.allCases.filter(setting.scopes.contains).map { "\"\($0.rawValue)\"" }.joined(
                separator: ",")
        }
        let user = try call.user
        return """
            SELECT d.key AS id, d.key, d.summary, ('[' || d.scopes || ']')::jsonb AS scopes,
                   coalesce(u.value, c.value, d.value::jsonb) AS value,
                   CASE WHEN u.value IS NOT NULL THEN 'user' WHEN c.value IS NOT NULL THEN \(whose == .system ? "system" : "company")
                        WHEN d.is_set THEN 'system' ELSE 'default' END AS source,
                   d.fallback::jsonb AS "default"
              FROM unnest(\(settings.map(\.name))::text[], \(settings.map(\.summary))::text[], \(scopes)::text[],
                          \(zip(system, settings).map { ($0 ?? $1.fallback).description })::text[],
                          \(settings.map(\.fallback.description))::text[],
                          \(system.map { $0 == nil ? 0 : 1 })::int[]::bool[]) AS d (key, summary, scopes, value, fallback, is_set)
              LEFT JOIN settings c ON c.company_id = \(owner) AND c.scope_id = \(owner) AND c.key = d.key
              LEFT JOIN settings u ON u.company_id = \(owner) AND u.scope_id = \(user) AND u.key = d.key
            """
    }

    struct SchemaAnswer: Codable, Sendable {
        let settings: [String: JSON]
    }

    func schema(_ call: Call) async throws -> Single<SchemaAnswer> {
        let entries = LiveSettingCatalogue.all.map { setting in
            let scopes = SettingScope.allCases.filter(setting.scopes.contains).map {
                JSON.string($0.rawValue)
            }
            let entry: JSON = [
                "summary": .string(setting.summary), "scopes": .array(scopes), "default": setting.fallback,
                "schema": setting.schema.json,
            ]
            return (setting.name, entry)
        }
        return Single(SchemaAnswer(settings: Dictionary(uniqueKeysWithValues: entries)))
    }

    // MARK: changes

    struct NewValue: Codable, Sendable {
        let value: JSON
    }

    func put(_ call: Call, _ key: Path<Text<80>>, _ query: Query<ScopeQuery>, _ body: Body<NewValue>)
        async throws -> Single<State>
    {
        let setting = try named(key.text)
        try await change(call, setting, query.scope, to: body.value.value, "set")
        return try await read(call, key)
    }

    func clear(_ call: Call, _ key: Path<Text<80>>, _ query: Query<ScopeQuery>) async throws -> NoContent {
        try await change(call, named(key.text), query.scope, to: nil, "cleared")
        return NoContent()
    }

    func revert(
        _ call: Call, _ key: Path<Text<80>>, _ version: Path<Whole<1, 2_000_000_000>>,
        _ query: Query<ScopeQuery>
    ) async throws -> Single<State> {
        let setting = try named(key.text)
        let (_, scopeId) = try place(query.scope, call)
        let rows = try await call.db.query(
            """
            SELECT value FROM setting_versions
             WHERE company_id = \(whose.id(call)) AND scope_id = \(scopeId) AND key = \(setting.name)
               AND version = \(version.value.value)
            """, as: whose.tenant(call))
        guard let row = rows.first else { throw Problem.notFound }
        let old = try row.get("value", as: String?.self).map { try JSON.parse($0) }
        try await change(call, setting, query.scope, to: old, "reverted")
        return try await read(call, key)
    }

    private func change(
        _ call: Call, _ setting: AnyLiveSetting, _ scope: SettingScope?, to value: JSON?, _ action: String
    ) async throws {
        try await open(call, scope) { desk in
            guard setting.scopes.contains(desk.scope) else {
                throw Problem.unprocessable([
                    .parameter(
                        "scope", "not-one-of", "\(setting.name) cannot be set for the \(desk.scope.rawValue)")
                ])
            }
            if let value { try desk.check(value, of: setting, at: "/value") }
            let held = try await desk.hold(setting.name)
            try call.requireVersion(held.version)
            try await desk.set(setting, to: value, over: held, action: action)
        }
    }

    private func open<Value>(
        _ call: Call, _ scope: SettingScope?, changes: Bool = true,
        _ body: (SettingDesk) async throws -> Value
    ) async throws -> Value {
        let (scope, scopeId) = try place(scope, call)
        if scope == .company { try call.require(.settingsWrite) }
        let owner = try whose.id(call)
        let live = call.environment[LiveSettings.self]
        if scope != .user, changes, try await Approvals.areRequired(owner, live) {
            throw Problem(.approvalRequired)
        }
        let value = try await call.db.transaction(as: whose.tenant(call)) { tx in
            let desk = SettingDesk(
                owner: owner, scope: scope, scopeId: scopeId, actor: call.actor,
                news: call.environment[CacheNews.self], tx: tx)
            if changes { try await desk.begin() }
            return try await body(desk)
        }
        if whose == .system, changes { try await live.refresh() }
        return value
    }

    private func place(_ scope: SettingScope?, _ call: Call) throws(Problem) -> (SettingScope, UUID) {
        switch (whose, scope) {
        case (.system, _): (.system, FlagStore.system)
        case (.company, nil), (.company, .company): (.company, try call.company)
        case (.company, .user): (.user, try call.user)
        case (.company, .system):
            throw Problem.unprocessable([
                .parameter("scope", "not-one-of", "the system's are set by operators")
            ])
        }
    }

    private func named(_ key: String) throws(Problem) -> AnyLiveSetting {
        guard let setting = LiveSettingCatalogue.named(key) else {
            throw Problem.notFound("There is no setting of this key.")
        }
        return setting
    }

    struct Version: Codable, Sendable {
        let version: Int64
        let value: JSON?
        let actorKind: String
        let actorId: UUID?
        let at: Timestamp
    }

    struct HistoryFilter: ListFilter {
        let scope: SettingScope?
        static let sorts = ["-version"]
        static let ownFields: Set<String> = ["scope"]
    }

    func history(_ call: Call, _ key: Path<Text<80>>, _ list: List<HistoryFilter>) async throws -> Page<
        Version
    > {
        let setting = try named(key.text)
        let (_, scopeId) = try place(list.scope, call)
        return try await call.page(
            list,
            """
            SELECT key AS id, version, value, actor_kind, actor_id, at FROM setting_versions
             WHERE company_id = \(whose.id(call)) AND scope_id = \(scopeId) AND key = \(setting.name)
            """, as: whose.tenant(call))
    }
}

/// Snapshots: out here, in there.
extension SettingRoutes {
    struct Snapshot: Codable, Sendable {
        let scope: SettingScope
        let at: Timestamp
        let settings: [String: JSON]
    }

    func export(_ call: Call, _ query: Query<ScopeQuery>) async throws -> Single<Snapshot> {
        let (scope, scopeId) = try place(query.scope, call)
        let rows = try await call.db.query(
            "SELECT key, value FROM settings WHERE company_id = \(whose.id(call)) AND scope_id = \(scopeId) ORDER BY key",
            as: whose.tenant(call))
        let values = try rows.map {
            (try $0.get("key", as: String.self), try JSON.parse($0.get("value", as: String.self)))
        }
        return Single(
            Snapshot(scope: scope, at: call.now, settings: Dictionary(uniqueKeysWithValues: values)))
    }

    struct Import: Codable, Sendable, FieldNotes {
        let settings: [String: JSON]
        let scope: SettingScope?
        let replaces: Bool?
        let dryRun: Bool?
        let at: Timestamp?

        static let fieldNotes = [
            "replaces": "Clear what is set and not named here.", "at": "As an export has it; passed over.",
            "dry_run": "Say what would change, and change nothing.",
        ]
    }

    struct Difference: Codable, Sendable {
        let key: String
        let before: JSON?
        let after: JSON?
    }

    struct Imported: Codable, Sendable {
        let isApplied: Bool
        let changes: [Difference]
    }

    func importAll(_ call: Call, _ body: Body<Import>) async throws -> Single<Imported> {
        let isDry = body.value.dryRun ?? false
        let wanted = try checked(body.value, place(body.value.scope, call).0)
        let changes = try await open(call, body.value.scope, changes: !isDry) { desk in
            var changes: [Difference] = []
            for setting in LiveSettingCatalogue.all where setting.scopes.contains(desk.scope) {
                let held = try await desk.hold(setting.name)
                let after = wanted[setting.name] ?? (body.value.replaces == true ? nil : held.value)
                if after == held.value { continue }
                changes.append(Difference(key: setting.name, before: held.value, after: after))
                if !isDry { try await desk.set(setting, to: after, over: held, action: "imported") }
            }
            return changes
        }
        return Single(Imported(isApplied: !isDry, changes: changes))
    }

    /// Everything wrong with a snapshot at once.
    private func checked(_ body: Import, _ scope: SettingScope) throws -> [String: JSON] {
        var faults: [Fault] = []
        for (key, value) in body.settings.sorted(by: { $0.key < $1.key }) {
            let pointer = "/settings/\(JSON.escapePointer(key))"
            guard let setting = LiveSettingCatalogue.named(key) else {
                let near = NearMiss.hint(key, among: LiveSettingCatalogue.all.map(\.name))
                faults.append(.at(pointer, "unknown-setting", "is no setting\(near)"))
                continue
            }
            if !setting.scopes.contains(scope) {
                faults.append(.at(pointer, "not-one-of", "cannot be set for the \(scope.rawValue)"))
            }
            faults += setting.faults(in: value, at: pointer)
        }
        if !faults.isEmpty { throw Problem.unprocessable(faults) }
        return body.settings
    }
}
