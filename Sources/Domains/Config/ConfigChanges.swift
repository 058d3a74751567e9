import API
import Core
import Postgres
import Wire

/// Changes that wait: for their time, for a second person, or for both.
struct ConfigChanges: Sendable {
    let base: String
    let whose: Owner
    let access: Access

    static let ofSystem = ConfigChanges(base: "/v1/system/config-changes", whose: .system, access: .operator)
    static let ofCompany = ConfigChanges(
        base: "/v1/config-changes", whose: .company, access: .can(.flagsWrite))

    @RouteList var routes: [Route] {
        GET(base, "List proposed and scheduled changes", access, list)
        POST(base, "Propose or schedule a change", access, propose)
            .describe(
                "Of a feature flag (`is_on`, `rules`) or a setting (`value`). Where an approval is needed it waits for "
                    + "somebody else; without one it is applied at `apply_at`, or at once."
            )
            .problems(.tooManyChanges, .notFound)
            .example(body: [
                "target": "flag", "key": "new-checkout", "change": ["is_on": true], "reason": "Launch day",
                "apply_at": "2027-03-01T08:00:00Z",
            ])
        GET("\(base)/{id}", "Read a change", access, read)
        POST("\(base)/{id}/approve", "Approve a change", access, approve)
            .describe("By anybody who may change it but the one who proposed it.").problems(
                .changeDecided, .ownChange)
        POST("\(base)/{id}/cancel", "Cancel a change", access, cancel).problems(.changeDecided)
    }

    enum Target: String, Codable, CaseIterable, SQLBindable, RowValue, Sendable {
        case flag, setting
    }

    enum State: String, Codable, CaseIterable, SQLBindable, RowValue, Sendable {
        case proposed, approved, applied, cancelled, failed
    }

    struct ConfigChange: Codable, Sendable, FieldNotes {
        let id: UUID
        let target: Target
        let key: String
        let change: JSON
        let reason: String?
        let baseVersion: Int64
        let state: State
        let needsApproval: Bool
        let applyAt: Timestamp?
        let proposedBy: UUID
        let decidedBy: UUID?
        let decidedAt: Timestamp?
        let appliedAt: Timestamp?
        let failure: String?
        let version: Int64
        let createdAt: Timestamp
        let updatedAt: Timestamp

        static let fieldNotes = [
            "base_version":
                "What the proposer saw. When the target has changed since, the change fails instead of undoing that.",
            "failure": "Why it could not be applied when its time came.",
        ]
    }

    struct Payload: Codable, Sendable {
        let isOn: Bool?
        let rules: FlagRules?
        let value: JSON?
    }

    struct NewChange: Codable, Sendable {
        let target: Target
        let key: Text<80>
        let change: Payload
        let reason: Prose<1000>?
        let applyAt: Timestamp?
    }

    struct Filter: ListFilter {
        let state: [State]?
        let target: [Target]?
        let key: Text<80>?
        static let sorts = ["-created_at"]
    }

    func list(_ call: Call, _ list: List<Filter>) async throws -> Page<ConfigChange> {
        try await call.page(list, Self.select(whose.id(call)), as: whose.tenant(call))
    }

    func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<ConfigChange> {
        try Single(await rows(id.value, call))
    }

    func propose(_ call: Call, _ body: Body<NewChange>) async throws -> Created<ConfigChange> {
        let (id, new) = (UUID.v7(), body.value)
        if new.target == .setting, whose == .company { try call.require(.settingsWrite) }
        if let at = new.applyAt, at > call.now + .seconds(ConfigLimits.scheduleDaysMax * 86_400) {
            throw Problem.unprocessable(
                "/apply_at", "out-of-range", "may be at most \(ConfigLimits.scheduleDaysMax) days ahead")
        }
        let mustWait = try await Approvals.areRequired(whose.id(call), call.environment[LiveSettings.self])
        try await open(call) { applier in
            let target = try await applier.target(new.target, new.key.text, isToChange: false)
            try await applier.check(new.change, of: target)
            let needsApproval = mustWait || target.needsApproval
            let pending = try await applier.tx.query(
                """
                SELECT count(*) FROM config_changes WHERE company_id = \(applier.owner) AND state IN ('proposed', 'approved')
                """)
            guard try pending[0].get(0, as: Int.self) < ConfigLimits.pendingChangesMax else {
                throw Problem(.tooManyChanges)
            }
            _ = try await applier.tx.query(
                """
                INSERT INTO config_changes (company_id, id, target, key, change, reason, base_version, state, needs_approval,
                                            apply_at, proposed_by)
                VALUES (\(applier.owner), \(id), \(new.target), \(new.key), \(JSONText(try target.stored(new.change))),
                        \(new.reason), \(target.version), \(needsApproval ? State.proposed : State.approved), \(needsApproval),
                        \(new.applyAt), \(call.user))
                """)
            try await applier.record("proposed", id, new.key.text)
            if !needsApproval { try await applier.applyOrSchedule(id, at: new.applyAt, now: call.now) }
        }
        return try Created(await rows(id, call))
    }

    func approve(_ call: Call, _ id: Path<UUID>) async throws -> Single<ConfigChange> {
        let user = try call.user
        try await open(call) { applier in
            let row = try await applier.hold(id.value)
            guard try row.get("state", as: State.self) == .proposed else { throw Problem(.changeDecided) }
            guard try row.get("proposed_by", as: UUID.self) != user else { throw Problem(.ownChange) }
            if whose == .company, try row.get("target", as: Target.self) == .setting {
                try call.require(.settingsWrite)
            }
            _ = try await applier.tx.query(
                """
                UPDATE config_changes SET state = 'approved', decided_by = \(user), decided_at = now(), version = version + 1,
                       updated_at = now()
                 WHERE company_id = \(applier.owner) AND id = \(id)
                """)
            try await applier.record("approved", id.value, row.get("key"))
            try await applier.applyOrSchedule(
                id.value, at: row.get("apply_at", as: Timestamp?.self), now: call.now)
        }
        return try Single(await rows(id.value, call))
    }

    func cancel(_ call: Call, _ id: Path<UUID>) async throws -> Single<ConfigChange> {
        try await open(call) { applier in
            let row = try await applier.hold(id.value)
            guard [.proposed, .approved].contains(try row.get("state", as: State.self)) else {
                throw Problem(.changeDecided)
            }
            _ = try await applier.tx.query(
                """
                UPDATE config_changes SET state = 'cancelled', decided_by = \(call.user), decided_at = now(),
                       version = version + 1, updated_at = now()
                 WHERE company_id = \(applier.owner) AND id = \(id)
                """)
            try await applier.record("cancelled", id.value, row.get("key"))
        }
        return try Single(await rows(id.value, call))
    }

    private func open(_ call: Call, _ body: (ConfigApplier) async throws -> Void) async throws {
        let owner = try whose.id(call)
        try await call.db.transaction(as: whose.tenant(call)) { tx in
            let applier = ConfigApplier(
                owner: owner, actor: call.actor, news: call.environment[CacheNews.self], tx: tx)
            try await body(applier)
        }
        if whose == .system {
            try await call.environment[FlagStore.self].refresh()
            try await call.environment[LiveSettings.self].refresh()
        }
    }

    private func rows(_ id: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query(
            "\(fragment: Self.select(whose.id(call))) AND id = \(id)", as: whose.tenant(call))
    }

    private static func select(_ owner: UUID) -> SQL {
        """
        SELECT id, target, key, change, reason, base_version, state, needs_approval, apply_at, proposed_by, decided_by,
               decided_at, applied_at, failure, version, created_at, updated_at
          FROM config_changes WHERE company_id = \(owner)
        """
    }
}
