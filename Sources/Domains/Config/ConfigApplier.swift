import API
import Core
import Postgres
import Wire

/// Puts waiting changes into force: at once, or by a job when their time has come.
struct ConfigApplier: Sendable {
    let owner: UUID
    let actor: Audit.Actor
    let news: CacheNews
    let tx: Transaction

    struct Due: Codable, Sendable {
        let owner: UUID
        let change: UUID
    }

    static let job = JobKind<Due>("config.apply-change", priority: 2)

    /// The job asks the change itself whether it is still wanted: it may have been cancelled since.
    static let handler = JobHandler(job) { due, job in
        let news = job.work.environment[CacheNews.self]
        try await job.work.database.transaction(as: Tenant(company: due.owner)) { tx in
            let applier = ConfigApplier(owner: due.owner, actor: .system, news: news, tx: tx)
            try await applier.apply(due.change)
        }
        return .done
    }

    /// What a change is about, as it stands.
    struct Target: Sendable {
        enum Kind: Sendable {
            case flag(FlagDesk.Held)
            case setting(AnyLiveSetting, SettingDesk.Held)
        }

        let kind: Kind
        let needsApproval: Bool

        var version: Int64 {
            switch kind {
            case .flag(let held): held.version
            case .setting(_, let held): held.version
            }
        }

        /// The members that concern this kind of target.
        func stored(_ change: ConfigChanges.Payload) throws -> JSON {
            switch kind {
            case .flag: try JSON(encoding: FlagEdit(isOn: change.isOn, rules: change.rules))
            case .setting: ["value": change.value ?? .null]
            }
        }
    }

    private var flags: FlagDesk { FlagDesk(owner: owner, actor: actor, news: news, tx: tx) }

    private var settings: SettingDesk {
        SettingDesk(
            owner: owner, scope: owner == FlagStore.system ? .system : .company, scopeId: owner, actor: actor,
            news: news,
            tx: tx)
    }

    /// What stands there now. Only a change that is carried out raises the owner's version and keeps others out: a
    /// proposal changes nothing that anybody evaluates.
    func target(_ target: ConfigChanges.Target, _ key: String, isToChange: Bool) async throws -> Target {
        switch target {
        case .flag:
            if isToChange { try await flags.begin() }
            let held = try await flags.hold(key, locks: isToChange)
            return Target(kind: .flag(held), needsApproval: held.needsApproval)
        case .setting:
            guard let setting = LiveSettingCatalogue.named(key), setting.scopes.contains(settings.scope)
            else {
                throw Problem.notFound("There is no setting of this key.")
            }
            if isToChange { try await settings.begin() }
            return Target(kind: .setting(setting, try await settings.hold(key)), needsApproval: false)
        }
    }

    func check(_ change: ConfigChanges.Payload, of target: Target) async throws {
        switch target.kind {
        case .flag(let held):
            if change.value != nil || (change.isOn == nil && change.rules == nil) {
                throw Problem.unprocessable(
                    "/change", "invalid", "a flag is changed by `is_on`, `rules` or both")
            }
            if let rules = change.rules { try await flags.check(rules, of: held.key) }
        case .setting(let setting, _):
            guard change.isOn == nil, change.rules == nil, let value = change.value else {
                throw Problem.unprocessable("/change", "invalid", "a setting is changed by `value`")
            }
            try settings.check(value, of: setting, at: "/change/value")
        }
    }

    func hold(_ id: UUID) async throws -> Row {
        let rows = try await tx.query(
            """
            SELECT id, target, key, change, base_version, state, apply_at, proposed_by FROM config_changes
             WHERE company_id = \(owner) AND id = \(id) FOR UPDATE
            """)
        guard let row = rows.first else { throw Problem.notFound }
        return row
    }

    /// Of an approved change.
    func applyOrSchedule(_ id: UUID, at time: Timestamp?, now: Timestamp) async throws {
        guard let time, time > now else { return try await apply(id) }
        // Jobs of the company that is nobody's belong to the installation.
        let company = owner == FlagStore.system ? nil : owner
        _ = try await Jobs.enqueue(
            Self.job, Due(owner: owner, change: id), company: company, at: time,
            uniqueKey: "config-change:\(id)", in: tx)
    }

    /// What cannot be applied any more is marked as failed, and nothing of it has happened.
    func apply(_ id: UUID) async throws {
        let row = try await hold(id)
        guard try row.get("state", as: ConfigChanges.State.self) == .approved else { return }
        var failure: String?
        do {
            try await tx.savepoint { try await carryOut(row) }
        } catch let problem as Problem {
            failure = problem.detail ?? problem.faults.first?.detail ?? problem.code.title
        }
        let state: ConfigChanges.State = failure == nil ? .applied : .failed
        _ = try await tx.query(
            """
            UPDATE config_changes SET state = \(state), failure = \(failure), version = version + 1, updated_at = now(),
                   applied_at = CASE WHEN \(failure == nil) THEN now() END
             WHERE company_id = \(owner) AND id = \(id)
            """)
        try await record(state.rawValue, id, row.get("key"))
    }

    private func carryOut(_ row: Row) async throws {
        let change = try JSON.parse(row.get("change", as: String.self))
        let target = try await target(row.get("target"), row.get("key"), isToChange: true)
        guard try target.version == row.get("base_version", as: Int64.self) else {
            throw Problem(.versionMismatch, "It has been changed since this was proposed.")
        }
        switch target.kind {
        case .flag(let held):
            try await flags.apply(change.decode(FlagEdit.self), to: held, action: "changed_as_proposed")
        case .setting(let setting, let held):
            try await settings.set(
                setting, to: change["value"] ?? .null, over: held, action: "set_as_proposed")
        }
    }

    func record(_ action: String, _ id: UUID, _ key: String) async throws {
        try await Audit.record(
            Audit.Entry("config_change.\(action)", on: "config_change", id, after: ["key": .string(key)]),
            by: actor,
            company: owner, in: tx)
    }
}
