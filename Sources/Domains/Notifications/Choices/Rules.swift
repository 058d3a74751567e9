import API
import Core
import Postgres
import Wire

/// How the company's news is routed: by event, by role, by how somebody stands to the matter.
enum Rules {
    @RouteList static var routes: [Route] {
        GET("/v1/notification-rules", "List routing rules", .can(.notificationsManage), list)
        POST("/v1/notification-rules", "Make a routing rule", .can(.notificationsManage), create)
            .describe(
                """
                Of the active rules for an event that fit a person, the first by `position` decides: by which channels it \
                goes, how mails are gathered and throttled, and what happens when it stays unread. People's own \
                preferences are stronger. Roles and people a rule adds hear of the event whether or not it fits them.
                """
            )
            .problems(.tooManyRules)
            .example(body: [
                "name": "Owners hear of departures by mail", "event": "member.*", "roles": ["owner"],
                "channels": ["in_app", "email"], "throttle": ["max": 5, "seconds": 3600],
                "escalation": ["after_minutes": 60, "channel": "email"],
            ])
        GET("/v1/notification-rules/{id}", "Read a routing rule", .can(.notificationsManage), read)
        PATCH("/v1/notification-rules/{id}", "Change a routing rule", .can(.notificationsManage), change)
        DELETE("/v1/notification-rules/{id}", "Delete a routing rule", .can(.notificationsManage), delete)
    }

    struct Throttle: Codable, Sendable {
        let max: Whole<1, 1000>
        let seconds: Whole<60, 604800>
    }

    struct EscalationRule: Codable, Sendable, FieldNotes {
        let afterMinutes: Whole<1, 10080>
        let channel: NotificationChannel
        let userId: UUID?

        static let fieldNotes = ["user_id": "Another person; left out, the same."]
    }

    struct NewRule: Codable, Sendable, FieldNotes {
        let name: Text<80>
        let event: EventPattern
        let position: Whole<0, 10_000>?
        let isActive: Bool?
        let roles: UpTo<20, Text<60>>?
        let relations: UpTo<20, Text<60>>?
        let channels: UpTo<3, NotificationChannel>?
        let addRoles: UpTo<20, Text<60>>?
        let addUsers: UpTo<100, UUID>?
        let digestMinutes: Whole<1, 10080>?
        let throttle: Throttle?
        let escalation: EscalationRule?

        static let fieldNotes = notes
    }

    struct RuleChange: Codable, Sendable, FieldNotes {
        let name: Text<80>?
        let event: EventPattern?
        let position: Whole<0, 10_000>?
        let isActive: Bool?
        let roles: UpTo<20, Text<60>>?
        let relations: UpTo<20, Text<60>>?
        let channels: Clearable<UpTo<3, NotificationChannel>>
        let addRoles: UpTo<20, Text<60>>?
        let addUsers: UpTo<100, UUID>?
        let digestMinutes: Clearable<Whole<1, 10080>>
        let throttle: Clearable<Throttle>
        let escalation: Clearable<EscalationRule>

        static let fieldNotes = notes
    }

    private static let notes = [
        "event": "`invitation.accepted`, `invitation.*` or `*`.",
        "roles": "Only for people with one of these roles; empty is everybody.",
        "relations": "Only for people in one of these relations: recipient, owner, assignee, watcher, role.",
        "channels": "Exactly these; left out, the channels stay as they are.",
        "add_roles": "These hear of it too.", "add_users": "These hear of it too.",
    ]

    struct Rule: Codable, Sendable {
        let id: UUID
        let name: String
        let event: String
        let position: Int
        let isActive: Bool
        let roles: [String]
        let relations: [String]
        let channels: [String]?
        let addRoles: [String]
        let addUsers: [UUID]
        let digestMinutes: Int?
        let throttle: JSON?
        let escalation: JSON?
        let version: Int
        let createdAt: Timestamp
        let updatedAt: Timestamp
    }

    struct Filter: ListFilter {
        let event: [Text<80>]?
        let isActive: Bool?

        static let sorts = ["position", "-created_at", "name"]
        static let search = ["name"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Rule> {
        try await call.page(list, select(call.company))
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Rule> {
        try Single(await call.db.query("\(fragment: select(call.company)) AND r.id = \(id)"))
    }

    static let rulesMax = 200

    static func create(_ call: Call, _ body: Body<NewRule>) async throws -> Created<Rule> {
        let (company, id, rule) = (try call.company, UUID.v7(), body.value)
        try await check(rule.addUsers?.items, rule.escalation, call)
        try await call.db.transaction { tx in
            let made = try await tx.query(
                """
                INSERT INTO notification_rules (
                    company_id, id, name, event, position, is_active, roles, relations, channels, add_roles, add_users,
                    digest_minutes, throttle_max, throttle_seconds, escalate_minutes, escalate_channel, escalate_user)
                SELECT \(company), \(id), \(rule.name), \(rule.event), \(rule.position?.value ?? 100),
                       \(rule.isActive ?? true), \(texts(rule.roles))::text[], \(texts(rule.relations))::text[],
                       \(rule.channels.map(\.items))::text[], \(texts(rule.addRoles))::text[],
                       \(rule.addUsers?.items ?? [])::uuid[], \(rule.digestMinutes?.value)::integer,
                       \(rule.throttle?.max.value)::integer, \(rule.throttle?.seconds.value)::integer,
                       \(rule.escalation?.afterMinutes.value)::integer, \(rule.escalation?.channel)::text,
                       \(rule.escalation?.userId)::uuid
                 WHERE (SELECT count(*) FROM notification_rules WHERE company_id = \(company)) < \(rulesMax)
                RETURNING id
                """)
            if made.isEmpty { throw Problem(.tooManyRules) }
            try await Audit.record(
                Audit.Entry(
                    "notification_rule.created", on: "notification_rule", id, after: JSON(encoding: rule)),
                by: call.actor, company: company, in: tx)
        }
        return try Created(await call.db.query("\(fragment: select(company)) AND r.id = \(id)"))
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<RuleChange>) async throws -> Single<Rule>
    {
        let (company, rule) = (try call.company, body.value)
        try await check(rule.addUsers?.items, rule.escalation ?? nil, call)
        let changes = changes(rule)
        try await call.db.transaction { tx in
            let before = try await tx.query("\(fragment: select(company)) AND r.id = \(id) FOR UPDATE")
            guard let row = before.first else { throw Problem.notFound }
            try call.requireVersion(row.get("version"))
            let after = try JSON(encoding: rule)
            let changed = Audit.changed(try JSON(row: row), after)
            _ = try await tx.batch([
                "UPDATE notification_rules SET \(fragment: changes.sql) WHERE company_id = \(company) AND id = \(id)",
                Audit.sql(
                    Audit.Entry(
                        "notification_rule.changed", on: "notification_rule", id.value,
                        before: changed.before,
                        after: changed.after), by: call.actor, company: company),
            ])
        }
        return try await read(call, id)
    }

    private static func changes(_ rule: RuleChange) -> Changes {
        var changes = Changes()
        changes.set("name", rule.name)
        changes.set("event", rule.event)
        changes.set("position", rule.position?.value)
        changes.set("is_active", rule.isActive)
        changes.set("roles", rule.roles?.items.map(\.text))
        changes.set("relations", rule.relations?.items.map(\.text))
        if let channels = rule.channels { changes.set("channels", to: "\(channels?.items)::text[]") }
        changes.set("add_roles", rule.addRoles?.items.map(\.text))
        changes.set("add_users", rule.addUsers?.items)
        if let digest = rule.digestMinutes { changes.set("digest_minutes", to: "\(digest?.value)::integer") }
        if let throttle = rule.throttle {
            changes.set("throttle_max", to: "\(throttle?.max.value)::integer")
            changes.set("throttle_seconds", to: "\(throttle?.seconds.value)::integer")
        }
        if let escalation = rule.escalation {
            changes.set("escalate_minutes", to: "\(escalation?.afterMinutes.value)::integer")
            changes.set("escalate_channel", to: "\(escalation?.channel)::text")
            changes.set("escalate_user", to: "\(escalation?.userId)::uuid")
        }
        return changes
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let company = try call.company
        try await call.db.transaction { tx in
            let gone = try await tx.query(
                "DELETE FROM notification_rules WHERE company_id = \(company) AND id = \(id) RETURNING name")
            guard let row = gone.first else { throw Problem.notFound }
            try await Audit.record(
                Audit.Entry(
                    "notification_rule.deleted", on: "notification_rule", id.value,
                    before: ["name": .string(row.get("name"))]), by: call.actor, company: company, in: tx)
        }
        return NoContent()
    }

    /// Whom a rule names must be here.
    private static func check(_ users: [UUID]?, _ escalation: EscalationRule?, _ call: Call) async throws {
        let named = (users ?? []) + (escalation?.userId.map { [$0] } ?? [])
        guard !named.isEmpty else { return }
        let rows = try await call.db.query(
            """
            SELECT count(DISTINCT user_id) AS count FROM memberships
             WHERE company_id = \(call.company) AND status = 'active' AND user_id = ANY(\(named)::uuid[])
            """)
        guard try rows[0].get("count", as: Int.self) == Set(named).count else {
            throw Problem.unprocessable(
                "/add_users", "unknown", "names somebody who is no active member here")
        }
    }

    private static func texts(_ texts: UpTo<20, Text<60>>?) -> [String] { texts?.items.map(\.text) ?? [] }

    private static func select(_ company: UUID) -> SQL {
        """
        SELECT r.id, r.name, r.event, r.position, r.is_active, r.roles, r.relations, r.channels, r.add_roles, r.add_users,
               r.digest_minutes,
               CASE WHEN r.throttle_max IS NOT NULL
                    THEN jsonb_build_object('max', r.throttle_max, 'seconds', r.throttle_seconds) END AS throttle,
               CASE WHEN r.escalate_minutes IS NOT NULL
                    THEN jsonb_build_object('after_minutes', r.escalate_minutes, 'channel', r.escalate_channel,
                                            'user_id', r.escalate_user) END AS escalation,
               r.version, r.created_at, r.updated_at
          FROM notification_rules r
         WHERE r.company_id = \(company)
        """
    }
}

/// Which events a rule is about: one by its name, a family, or all.
struct EventPattern: TextValue, SQLBindable {
    let text: String
    init(unchecked text: String) { self.text = text }

    static var rule: TextRule {
        TextRule(length: 1...80, pattern: #"^(\*|[a-z_]+(\.[a-z_]+)*(\.\*)?)$"#) { text in
            if text == "*" { return nil }
            let parts = text.split(separator: ".", omittingEmptySubsequences: false)
            let words = parts.last == "*" && parts.count > 1 ? parts.dropLast() : parts[...]
            let areWords = words.allSatisfy { word in
                !word.isEmpty && word.utf8.allSatisfy { (97...122).contains($0) || $0 == 95 }
            }
            return areWords ? nil : "is no event like invitation.accepted, invitation.* or *"
        }
    }
    static var exampleText: String { "invitation.*" }
}
