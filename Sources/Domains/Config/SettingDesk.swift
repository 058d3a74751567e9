import API
import Core
import Postgres
import Wire

/// Changes settings of one scope: checked, versioned, recorded and told to every instance, or not at all.
struct SettingDesk: Sendable {
    /// Whose rows: the company's, or those of the company that is nobody's.
    let owner: UUID
    let scope: SettingScope
    let scopeId: UUID
    let actor: Audit.Actor
    let news: CacheNews
    let tx: Transaction

    /// Keeps others out who would change settings of the same owner.
    func begin() async throws {
        try await ConfigVersion.raise("settings", owner: owner, in: tx)
        try await news.tell(LiveSettings.topic, company: owner, in: tx)
    }

    struct Held: Sendable {
        let value: JSON?
        /// Of the last change, a clearing included; 0 when there was none.
        let version: Int64
    }

    func hold(_ key: String) async throws -> Held {
        let rows = try await tx.query(
            """
            SELECT s.value, coalesce(max(v.version), 0) AS version
              FROM (VALUES (1)) always (present)
              LEFT JOIN settings s ON s.company_id = \(owner) AND s.scope_id = \(scopeId) AND s.key = \(key)
              LEFT JOIN setting_versions v ON v.company_id = \(owner) AND v.scope_id = \(scopeId) AND v.key = \(key)
             GROUP BY s.value
            """)
        let value = try rows[0].get("value", as: String?.self)
        return Held(value: try value.map { try JSON.parse($0) }, version: try rows[0].get("version"))
    }

    /// Sets the value as a new version; nil clears it.
    func set(_ setting: AnyLiveSetting, to value: JSON?, over held: Held, action: String) async throws {
        let version = held.version + 1
        let key = setting.name
        let place: SQL =
            if let value {
                """
                INSERT INTO settings (company_id, scope, scope_id, key, value, version)
                VALUES (\(owner), \(scope.rawValue), \(scopeId), \(key), \(JSONText(value)), \(version))
                ON CONFLICT (company_id, scope_id, key) DO UPDATE
                   SET value = excluded.value, version = excluded.version, updated_at = now()
                """
            } else {
                "DELETE FROM settings WHERE company_id = \(owner) AND scope_id = \(scopeId) AND key = \(key)"
            }
        _ = try await tx.batch([
            place,
            """
            INSERT INTO setting_versions (company_id, scope_id, key, version, value, actor_kind, actor_id)
            VALUES (\(owner), \(scopeId), \(key), \(version), \(value.map(JSONText.init)), \(actor.kind), \(actor.id))
            """,
            Audit.sql(
                Audit.Entry(
                    "setting.\(action)", on: "setting", scope == .user ? scopeId : nil,
                    before: ["key": .string(key), "value": held.value ?? .null],
                    after: ["key": .string(key), "value": value ?? .null]),
                by: actor, company: owner),
        ])
    }

    func check(_ value: JSON, of setting: AnyLiveSetting, at pointer: String) throws {
        let faults = setting.faults(in: value, at: pointer)
        if !faults.isEmpty { throw Problem.unprocessable(faults) }
    }
}
