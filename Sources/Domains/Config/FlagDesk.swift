import API
import Core
import Postgres
import Wire

/// Changes flags: checked, put in order, kept in their history, recorded and told to every instance, or not at all.
struct FlagDesk: Sendable {
    let owner: UUID
    let actor: Audit.Actor
    let news: CacheNews
    let tx: Transaction

    /// Opens a transaction in which the owner's flags change; others who would change them wait.
    static func open<Value>(
        _ call: Call, _ whose: Owner, _ body: (FlagDesk) async throws -> Value
    ) async throws -> Value {
        let owner = try whose.id(call)
        let value = try await call.db.transaction(as: whose.tenant(call)) { tx in
            let desk = FlagDesk(
                owner: owner, actor: call.actor, news: call.environment[CacheNews.self], tx: tx)
            try await desk.begin()
            return try await body(desk)
        }
        // This instance answers by the change from the next request on.
        if whose == .system { try await call.environment[FlagStore.self].refresh() }
        return value
    }

    func begin() async throws {
        try await ConfigVersion.raise("flags", owner: owner, in: tx)
        try await news.tell(FlagStore.topic, company: owner, in: tx)
    }

    struct Held {
        let id: UUID
        let key: String
        let isOn: Bool
        let needsApproval: Bool
        let rules: FlagRules
        let version: Int64
    }

    func hold(_ key: String, locks: Bool = true) async throws -> Held {
        let rows = try await tx.query(
            """
            SELECT id, is_on, needs_approval, rules, version FROM feature_flags
             WHERE company_id = \(owner) AND key = \(key) \(unescaped: locks ? "FOR UPDATE" : "")
            """)
        guard let row = rows.first else { throw Problem.notFound }
        return Held(
            id: try row.get("id"), key: key, isOn: try row.get("is_on"),
            needsApproval: try row.get("needs_approval"),
            rules: try JSON.parse(row.get("rules", as: String.self)).decode(FlagRules.self),
            version: try row.get("version"))
    }

    /// Applies an edit as a new version.
    func apply(_ edit: FlagEdit, to flag: Held, action: String) async throws {
        if let rules = edit.rules { try await check(rules, of: flag.key) }
        let (isOn, rules) = (edit.isOn ?? flag.isOn, edit.rules ?? flag.rules)
        let (before, after) = Audit.changed(
            try Self.picture(flag.isOn, flag.rules), try Self.picture(isOn, rules))
        _ = try await tx.batch([
            """
            UPDATE feature_flags SET is_on = \(isOn), rules = \(try JSONText(JSON(encoding: rules))),
                   version = version + 1, updated_at = now()
             WHERE company_id = \(owner) AND id = \(flag.id)
            """,
            keep(flag.id, action),
            Audit.sql(
                Audit.Entry(
                    "flag.\(action)", on: "feature_flag", flag.id, before: before,
                    after: named(after, flag.key)),
                by: actor, company: owner),
        ])
    }

    /// Adds the flag as it stands to its history.
    func keep(_ id: UUID, _ action: String) -> SQL {
        """
        INSERT INTO flag_versions (company_id, flag_id, version, action, is_on, rules, actor_kind, actor_id)
        SELECT company_id, id, version, \(action), is_on, rules, \(actor.kind), \(actor.id)
          FROM feature_flags WHERE company_id = \(owner) AND id = \(id)
        """
    }

    func check(_ rules: FlagRules, of key: String) async throws {
        let set = try await FlagStore.load(owner, in: tx)
        let faults = FlagRulesCheck(set: set, key: key).faults(in: rules)
        if !faults.isEmpty { throw Problem.unprocessable(faults) }
    }

    func record(_ action: String, _ id: UUID, _ key: String, before: JSON? = nil, after: JSON? = nil) -> SQL {
        Audit.sql(
            Audit.Entry(
                "flag.\(action)", on: "feature_flag", id, before: before, after: named(after ?? [:], key)),
            by: actor, company: owner)
    }

    private func named(_ json: JSON, _ key: String) -> JSON {
        var object = json.objectValue ?? JSON.Object()
        object["key"] = .string(key)
        return .object(object)
    }

    private static func picture(_ isOn: Bool, _ rules: FlagRules) throws -> JSON {
        ["is_on": .bool(isOn), "rules": try JSON(encoding: rules)]
    }
}
