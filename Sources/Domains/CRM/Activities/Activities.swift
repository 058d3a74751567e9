import API
import Core
import Postgres
import Wire

/// Calls, meetings, e-mails and notes: logged, planned, found, changed and put into the trash.
enum Activities {
    @RouteList static var routes: [Route] {
        GET("/v1/activities", "List activities", .can(.crmRead), list)
            .describe("One's own, and those about records one sees; newest first.")
            .example(answer: ActivityExamples.activity)
        POST("/v1/activities", "Log or plan an activity", .can(.crmWrite), create)
            .describe(
                "With `due_at` it is planned, else it has happened. It is about at least one client, contact, lead or deal. "
                    + "Logged again under one `external_id` of its `source`, it is the activity that is there."
            )
            .example(body: ActivityExamples.new, answer: ActivityExamples.activity)
        GET("/v1/activities/{id}", "Read an activity", .can(.crmRead), read).example(
            answer: ActivityExamples.activity)
        PATCH("/v1/activities/{id}", "Change an activity", .can(.crmWrite), change).ifMatch(.required)
            .describe(
                "`client_ids` and its like replace the records of that kind that one sees. What a note said before is kept."
            )
            .problems(.activityIsDone)
            .example(
                body: ["title": "Second call", "due_at": "2026-12-04T09:00:00Z"],
                answer: ActivityExamples.activity)
        DELETE("/v1/activities/{id}", "Put an activity into the trash", .can(.crmWrite), delete)
            .describe(
                "POST /v1/activities/{id}/restore takes it out again for \(ActivityLimits.trashDays) days.")
    }

    static func list(_ call: Call, _ list: List<ActivityFilter>) async throws -> Page<Activity> {
        guard let principal = call.principal else { throw Problem.unauthorized }
        let base = forList(principal) + list.filter.conditions(principal)
        return try await call.page(list, base)
    }

    /// With what lists are sorted by beside the columns they show.
    static func forList(_ principal: Principal) -> SQL {
        """
        SELECT \(fragment: ActivityRows.columns(principal)), coalesce(a.due_at, a.at) AS due
          FROM activities a
         WHERE a.company_id = \(principal.companyId) AND \(fragment: ActivityAccess.visible(principal))
        """
    }

    static func create(_ call: Call, _ body: Body<NewActivity>) async throws -> Created<Activity> {
        let entry = try entry(body.value, call)
        let id = try await call.db.transaction { tx in try await log(entry, call, tx) }
        return try Created(await ActivityRows.one(id, call))
    }

    private static func entry(_ body: NewActivity, _ call: Call) throws -> Timeline.Entry {
        if body.fromAddress != nil || body.toAddresses != nil { try call.require(.crmContactData) }
        var faults: [Fault] = []
        if body.records.count == 0 {
            faults.append(.at("/contact_ids", "required", "an activity is about at least one record"))
        }
        if body.dueAt != nil, body.at != nil {
            faults.append(.at("/at", "not-allowed", "what is planned has `due_at` alone"))
        }
        if body.dueAt != nil, body.kind == .note {
            faults.append(.at("/due_at", "not-allowed", "a note is not planned"))
        }
        if body.remindAt != nil, body.dueAt == nil {
            faults.append(.at("/remind_at", "not-allowed", "only what is planned is reminded of"))
        }
        if body.direction != nil, body.kind != .call, body.kind != .email {
            faults.append(.at("/direction", "not-allowed", "only calls and e-mails have a direction"))
        }
        if let ends = body.endsAt, ends < body.dueAt ?? body.at ?? call.now {
            faults.append(.at("/ends_at", "out-of-order", "must not be before it begins"))
        }
        if !faults.isEmpty { throw Problem.unprocessable(faults) }
        var entry = Timeline.Entry(body.kind.kind, body.title.text, on: body.records)
        (entry.body, entry.direction, entry.at, entry.dueAt) = (
            body.body?.text, body.direction, body.at, body.dueAt
        )
        (entry.endsAt, entry.remindAt, entry.outcome) = (body.endsAt, body.remindAt, body.outcome?.text)
        entry.durationSeconds = body.durationSeconds.map { Int($0.value) }
        entry.participants = body.participants?.items.map(\.text) ?? []
        (entry.from, entry.to) = (body.fromAddress?.text, body.toAddresses?.items.map(\.text) ?? [])
        (entry.owner, entry.source, entry.externalId) = (
            body.ownerId, body.source?.text ?? "api", body.externalId?.text
        )
        if entry.direction == nil, body.kind == .email || body.kind == .call { entry.direction = .out }
        return entry
    }

    /// The activity logged, or the one that is known under its id at its source.
    @inline(never)
    private static func log(_ entry: Timeline.Entry, _ call: Call, _ tx: Transaction) async throws -> UUID {
        let company = try call.company
        try await entry.records.require(call, tx)
        let isNew = try await Timeline.log(entry, by: call.actor, company: company, in: tx)
        if isNew { return entry.id }
        let known = try await tx.query(
            """
            SELECT id FROM activities
             WHERE company_id = \(company) AND source = \(entry.source) AND external_id = \(entry.externalId)
            """)
        guard let row = known.first else { throw Problem.notFound }
        return try row.get("id")
    }

    @inline(never)
    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Activity> {
        // Names of records change without the version.
        try Single(await ActivityRows.one(id.value, call), versionIsWhole: false)
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<ActivityChange>) async throws -> Single<
        Activity
    > {
        let change = body.value
        try await call.db.transaction { tx in try await ActivityWriting.change(id.value, change, call, tx) }
        return try Single(await ActivityRows.one(id.value, call))
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        try await call.db.transaction { tx in try await ActivityWriting.delete([id.value], call, tx) }
        return NoContent()
    }
}
