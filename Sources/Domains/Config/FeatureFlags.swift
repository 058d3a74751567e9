import API
import Core
import Crypto
import Postgres
import Wire

/// Feature flags: who gets what, decided while the program runs.
struct FeatureFlags: Sendable {
    let base: String
    let whose: Owner
    let reading: Access
    let writing: Access

    static let ofSystem = FeatureFlags(
        base: "/v1/system/feature-flags", whose: .system, reading: .operator, writing: .operator)
    static let ofCompany = FeatureFlags(
        base: "/v1/feature-flags", whose: .company, reading: .can(.flagsRead), writing: .can(.flagsWrite))

    @RouteList var routes: [Route] {
        GET(base, "List feature flags", reading, list)
            .describe(
                "With `is_stale=true` those that should be gone: past their day, or not asked for in thirty days."
            )
        POST(base, "Create a feature flag", writing, create).problems(.flagKeyTaken, .quotaUsedUp)
            .example(body: FlagExamples.new, answer: FlagExamples.flag)
        GET("\(base)/{key}", "Read a feature flag", reading, read).example(answer: FlagExamples.flag)
        PATCH("\(base)/{key}", "Change what is said of a feature flag", writing, change)
            .describe("Whom it is on for is changed at `/rules` and `/toggle`.").problems(.approvalRequired)
            .example(answer: FlagExamples.flag)
        DELETE("\(base)/{key}", "Delete a feature flag", writing, delete).ifMatch(.accepted).problems(
            .flagInUse, .approvalRequired)
        PUT("\(base)/{key}/rules", "Set whom a feature flag is on for", writing, setRules)
            .problems(.approvalRequired).example(body: FlagExamples.rules, answer: FlagExamples.flag)
        POST("\(base)/{key}/toggle", "Switch a feature flag on or off", writing, toggle).ifMatch(.accepted)
            .describe("Switching off is never held up by an approval.").problems(.approvalRequired)
            .example(answer: FlagExamples.flag)
        GET("\(base)/{key}/history", "List a feature flag's versions", reading, history)
            .example(answer: FlagExamples.version)
        POST("\(base)/{key}/revert/{version}", "Go back to an earlier version", writing, revert).ifMatch(
            .accepted
        )
        .problems(.approvalRequired).example(answer: FlagExamples.flag)
        POST("\(base)/{key}/evaluation", "Ask what a feature flag answers, and why", reading, explain)
            .example(
                body: ["context": ["targetingKey": "customer-1", "plan": "gold"]],
                answer: FlagExamples.explained)
    }

    struct Filter: ListFilter {
        let kind: [FlagKind]?
        let isOn: Bool?
        let isArchived: Bool?
        let isStale: Bool?

        static let sorts = ["key", "-created_at", "-updated_at"]
        static let search = ["key", "description", "owner"]
        static let ownFields: Set<String> = ["is_archived", "is_stale"]
    }

    func list(_ call: Call, _ list: List<Filter>) async throws -> Page<FeatureFlag> {
        var sql = Self.select(try whose.id(call))
        if let isArchived = list.isArchived { sql += " AND (f.archived_at IS NOT NULL) = \(isArchived)" }
        if let isStale = list.isStale {
            sql += """
                 AND (f.archived_at IS NULL
                      AND (coalesce(f.stale_at <= now(), false)
                           OR coalesce(s.last_seen_at, f.created_at) < now() - make_interval(days => \(ConfigLimits.unseenDays)))
                     ) = \(isStale)
                """
        }
        return try await call.page(list, sql, as: whose.tenant(call))
    }

    func read(_ call: Call, _ key: Path<Text<60>>) async throws -> Single<FeatureFlag> {
        try Single(await rows(key.text, call))
    }

    func create(_ call: Call, _ body: Body<NewFlag>) async throws -> Created<FeatureFlag> {
        let (id, key) = (UUID.v7(), body.key.text)
        try await FlagDesk.open(call, whose) { desk in
            let rules = body.value.rules ?? .plain()
            try await desk.check(rules, of: key)
            if whose == .company { try await Quotas.take(.featureFlags, company: desk.owner, in: desk.tx) }
            _ = try await desk.tx.batch([
                """
                INSERT INTO feature_flags (company_id, id, key, kind, description, owner, is_on, needs_approval, salt, rules,
                                           stale_at)
                VALUES (\(desk.owner), \(id), \(key), \(body.value.kind ?? .release), \(body.value.description),
                        \(body.value.owner), \(body.value.isOn ?? false), \(body.value.needsApproval ?? false),
                        \(Hex.encode(RandomBytes.make(8))), \(try JSONText(JSON(encoding: rules))), \(body.value.staleAt))
                """,
                desk.keep(id, "created"),
                desk.record("created", id, key, after: try JSON(encoding: body.value)),
            ])
        }
        return try Created(await rows(key, call), at: "\(base)/\(key)")
    }

    /// Whether the owner lets nobody change flags alone.
    private func mustWait(_ call: Call) async throws -> Bool {
        try await Approvals.areRequired(whose.id(call), call.environment[LiveSettings.self])
    }

    func change(_ call: Call, _ key: Path<Text<60>>, _ body: Patch<FlagChange>) async throws -> Single<
        FeatureFlag
    > {
        let mustWait = try await mustWait(call)
        try await FlagDesk.open(call, whose) { desk in
            let flag = try await desk.hold(key.text)
            try call.requireVersion(flag.version)
            // Whoever may not change the flag alone may not lift that rule alone either.
            if flag.needsApproval || mustWait,
                body.value.needsApproval == false || body.value.isArchived != nil
            {
                throw Problem(.approvalRequired)
            }
            var changes = Changes()
            changes.set("kind", body.value.kind)
            changes.set("description", body.value.description)
            changes.set("owner", body.value.owner)
            changes.set("needs_approval", body.value.needsApproval)
            changes.set("stale_at", body.value.staleAt)
            if let isArchived = body.value.isArchived {
                changes.set("archived_at", to: isArchived ? "coalesce(archived_at, now())" : "NULL")
            }
            _ = try await desk.tx.batch([
                "UPDATE feature_flags SET \(fragment: changes.sql) WHERE company_id = \(desk.owner) AND id = \(flag.id)",
                desk.keep(flag.id, "changed"),
                desk.record("changed", flag.id, key.text, after: try JSON(encoding: body.value)),
            ])
        }
        return try Single(await rows(key.text, call))
    }

    func delete(_ call: Call, _ key: Path<Text<60>>) async throws -> NoContent {
        let mustWait = try await mustWait(call)
        try await FlagDesk.open(call, whose) { desk in
            let flag = try await desk.hold(key.text)
            try call.requireVersion(flag.version)
            if flag.needsApproval || mustWait { throw Problem(.approvalRequired) }
            let set = try await FlagStore.load(desk.owner, in: desk.tx)
            let users = set.flags.values.filter { other in
                other.rules.prerequisites?.items.contains { $0.flag.text == key.text } ?? false
            }
            if let user = users.map(\.key).min() {
                throw Problem(.flagInUse, "\(user) has it as a prerequisite.")
            }
            _ = try await desk.tx.batch([
                "DELETE FROM feature_flags WHERE company_id = \(desk.owner) AND id = \(flag.id)",
                desk.record("deleted", flag.id, key.text, before: try JSON(encoding: flag.rules)),
            ])
            if whose == .company {
                try await Quotas.giveBack(.featureFlags, company: desk.owner, in: desk.tx)
            }
        }
        return NoContent()
    }

    struct RulesBody: Codable, Sendable {
        let rules: FlagRules
    }

    func setRules(_ call: Call, _ key: Path<Text<60>>, _ body: Body<RulesBody>) async throws -> Single<
        FeatureFlag
    > {
        try await edit(call, key.text, FlagEdit(rules: body.rules), "rules_set")
    }

    func toggle(_ call: Call, _ key: Path<Text<60>>, _ body: Body<FlagSwitch>) async throws -> Single<
        FeatureFlag
    > {
        try await edit(call, key.text, FlagEdit(isOn: body.isOn), body.isOn ? "switched_on" : "switched_off")
    }

    func revert(_ call: Call, _ key: Path<Text<60>>, _ version: Path<Whole<1, 2_000_000_000>>) async throws
        -> Single<FeatureFlag>
    {
        let owner = try whose.id(call)
        let rows = try await call.db.query(
            """
            SELECT v.is_on, v.rules FROM flag_versions v
              JOIN feature_flags f ON f.company_id = v.company_id AND f.id = v.flag_id
             WHERE v.company_id = \(owner) AND f.key = \(key.text) AND v.version = \(version.value.value)
            """, as: whose.tenant(call))
        guard let row = rows.first else { throw Problem.notFound }
        let rules = try JSON.parse(row.get("rules", as: String.self)).decode(FlagRules.self)
        let back = FlagEdit(isOn: try row.get("is_on"), rules: rules)
        return try await edit(call, key.text, back, "reverted")
    }

    private func edit(_ call: Call, _ key: String, _ edit: FlagEdit, _ action: String) async throws -> Single<
        FeatureFlag
    > {
        let mustWait = try await mustWait(call)
        try await FlagDesk.open(call, whose) { desk in
            let flag = try await desk.hold(key)
            try call.requireVersion(flag.version)
            let isSwitchOff = edit.isOn == false && edit.rules == nil
            if flag.needsApproval || mustWait, !isSwitchOff { throw Problem(.approvalRequired) }
            try await desk.apply(edit, to: flag, action: action)
        }
        return try Single(await rows(key, call))
    }

    struct HistoryFilter: ListFilter {
        static let sorts = ["-version"]
    }

    func history(_ call: Call, _ key: Path<Text<60>>, _ list: List<HistoryFilter>) async throws -> Page<
        FlagVersion
    > {
        let owner = try whose.id(call)
        _ = try Single<FeatureFlag>(await rows(key.text, call))
        return try await call.page(
            list,
            """
            SELECT v.flag_id AS id, v.version, v.action, v.is_on, v.rules, v.actor_kind, v.actor_id, v.at
              FROM flag_versions v
              JOIN feature_flags f ON f.company_id = v.company_id AND f.id = v.flag_id
             WHERE v.company_id = \(owner) AND f.key = \(key.text)
            """, as: whose.tenant(call))
    }

    func explain(_ call: Call, _ key: Path<Text<60>>, _ body: Body<FlagQuestion>) async throws -> Single<
        FlagExplained
    > {
        let set = try await call.environment[FlagStore.self].set(of: whose.id(call))
        guard let found = set.explain(key.text, for: FlagContext(body.context)) else {
            throw Problem.notFound
        }
        return Single(FlagExplained(decision: found.decision, steps: found.steps, setVersion: set.version))
    }

    private func rows(_ key: String, _ call: Call) async throws -> Rows {
        try await call.db.query(
            "\(fragment: Self.select(whose.id(call))) AND f.key = \(key)", as: whose.tenant(call))
    }

    private static func select(_ owner: UUID) -> SQL {
        """
        SELECT f.id, f.key, f.kind, f.description, f.owner, f.is_on, f.needs_approval, f.rules, f.stale_at, f.archived_at,
               s.last_seen_at, coalesce(s.evaluations, 0) AS evaluations, f.version, f.created_at, f.updated_at
          FROM feature_flags f
          LEFT JOIN flag_sightings s ON s.company_id = f.company_id AND s.flag_id = f.id
         WHERE f.company_id = \(owner)
        """
    }
}
