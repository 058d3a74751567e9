import API
import Core
import Postgres
import Wire

/// What becomes of what is planned: done, put off, taken up again; and the way out of the trash.
enum ActivityLife {
    @RouteList static var routes: [Route] {
        POST("/v1/activities/{id}/complete", "Say that an activity is done", .can(.crmWrite), complete)
            .operation("completeActivity").describe("What is done already stays as it is.")
            .example(body: ["outcome": "reached"], answer: ActivityExamples.activity)
        POST("/v1/activities/{id}/reopen", "Take an activity up again", .can(.crmWrite), reopen)
            .operation("reopenActivity").problems(.activityNotPlanned)
            .describe("It is planned for when it was due, or when it happened. Not for notes.")
            .example(answer: ActivityExamples.activity)
        POST("/v1/activities/{id}/snooze", "Be reminded of an activity later", .can(.crmWrite), snooze)
            .operation("snoozeActivity").problems(.activityIsDone)
            .example(body: ["until": "2026-12-04T09:00:00Z"], answer: ActivityExamples.activity)
        POST("/v1/activities/{id}/restore", "Take an activity out of the trash", .can(.crmWrite), restore)
            .operation("restoreActivity").example(answer: ActivityExamples.activity)
        POST("/v1/activities/bulk", "Change many activities at once", .can(.crmWrite), bulk)
            .operation("changeActivities")
            .describe(
                "Up to \(ActivityLimits.bulkMax), all of them or none. Exactly one of `action` and `owner_id`."
            )
            .example(
                body: ["activity_ids": [ActivityExamples.id], "action": "complete"], answer: ["changed": 1])
    }

    struct Completion: Codable, Sendable {
        let at: Timestamp?
        let outcome: Text<120>?
        let durationSeconds: Whole<0, 604_800>?
    }

    struct Snooze: Codable, Sendable {
        let until: Timestamp
    }

    static func complete(_ call: Call, _ id: Path<UUID>, _ body: Body<Completion>) async throws -> Single<
        Activity
    > {
        let completion = body.value
        try await call.db.transaction { tx in try await finish(id.value, completion, call, tx) }
        return try Single(await ActivityRows.one(id.value, call))
    }

    @inline(never)
    private static func finish(_ id: UUID, _ completion: Completion, _ call: Call, _ tx: Transaction)
        async throws
    {
        let company = try call.company
        let row = try await ActivityAccess.locked(id, call, tx)
        guard try row.get("completed_at", as: Timestamp?.self) == nil else { return }
        let at = completion.at ?? call.now
        _ = try await tx.batch(
            [
                """
                UPDATE activities
                   SET completed_at = \(at), at = \(at), ends_at = CASE WHEN ends_at >= \(at) THEN ends_at END,
                       outcome = coalesce(\(completion.outcome), outcome),
                       duration_seconds = coalesce(\(completion.durationSeconds)::integer, duration_seconds),
                       version = version + 1, updated_at = now()
                 WHERE company_id = \(company) AND id = \(id)
                """,
                ActivityWriting.place([id], company),
            ]
                + ActivityWriting.told(
                    ActivityEvents.completed, "activity.completed", [id], row.get("kind"), call))
    }

    @inline(never)
    static func reopen(_ call: Call, _ id: Path<UUID>) async throws -> Single<Activity> {
        try await call.db.transaction { tx in try await takeUp(id.value, call, tx) }
        return try Single(await ActivityRows.one(id.value, call))
    }

    @inline(never)
    private static func takeUp(_ id: UUID, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        let row = try await ActivityAccess.locked(id, call, tx)
        let kind = try row.get("kind", as: ActivityKind.self)
        if kind == .note || kind == .system { throw Problem(.activityNotPlanned) }
        guard try row.get("completed_at", as: Timestamp?.self) != nil else { return }
        _ = try await tx.batch(
            [
                """
                UPDATE activities
                   SET completed_at = NULL, due_at = coalesce(due_at, at), at = coalesce(due_at, at), ends_at = NULL,
                       version = version + 1, updated_at = now()
                 WHERE company_id = \(company) AND id = \(id)
                """,
                ActivityWriting.place([id], company), ActivityUpkeep.expect(company),
            ] + ActivityWriting.told(ActivityEvents.updated, "activity.reopened", [id], kind, call))
    }

    static func snooze(_ call: Call, _ id: Path<UUID>, _ body: Body<Snooze>) async throws -> Single<Activity>
    {
        let until = body.until
        try await call.db.transaction { tx in try await putOff(id.value, until, call, tx) }
        return try Single(await ActivityRows.one(id.value, call))
    }

    @inline(never)
    private static func putOff(_ id: UUID, _ until: Timestamp, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        let row = try await ActivityAccess.locked(id, call, tx)
        if try row.get("completed_at", as: Timestamp?.self) != nil { throw Problem(.activityIsDone) }
        _ = try await tx.batch(
            [
                """
                UPDATE activities SET remind_at = \(until), version = version + 1, updated_at = now()
                 WHERE company_id = \(company) AND id = \(id)
                """,
                ActivityUpkeep.expect(company, at: "\(until)"),
            ] + ActivityWriting.told(ActivityEvents.updated, "activity.snoozed", [id], row.get("kind"), call))
    }

    static func restore(_ call: Call, _ id: Path<UUID>) async throws -> Single<Activity> {
        try await call.db.transaction { tx in try await takeOut(id.value, call, tx) }
        return try Single(await ActivityRows.one(id.value, call))
    }

    @inline(never)
    private static func takeOut(_ id: UUID, _ call: Call, _ tx: Transaction) async throws {
        guard let principal = call.principal else { throw Problem.unauthorized }
        let company = try call.company
        let rows = try await tx.query(
            """
            UPDATE activities a SET deleted_at = NULL, version = version + 1, updated_at = now()
             WHERE a.company_id = \(company) AND a.id = \(id) AND a.deleted_at IS NOT NULL
               AND \(fragment: ActivityAccess.isShown(to: principal))
            RETURNING a.kind, a.title, a.body
            """)
        guard let row = rows.first else { throw Problem.notFound }
        let words = SearchText(title: [try row.get("title")], body: [try row.get("body")])
        _ = try await tx.batch(
            Search.put("activity", id, words, company: company)
                + ActivityWriting.told(
                    ActivityEvents.updated, "activity.restored", [id], row.get("kind"), call))
    }

    struct Bulk: Codable, Sendable {
        let activityIds: UpTo<200, UUID>
        let action: Action?
        let ownerId: UUID?

        enum Action: String, Codable, CaseIterable, Sendable { case complete, delete }
    }

    struct BulkResult: Codable, Sendable {
        let changed: Int
    }

    static func bulk(_ call: Call, _ body: Body<Bulk>) async throws -> Single<BulkResult> {
        let bulk = body.value
        if (bulk.action == nil) == (bulk.ownerId == nil) {
            throw Problem.unprocessable("/action", "one-of", "send one of `action` and `owner_id`")
        }
        let ids = Array(Set(bulk.activityIds.items)).sorted { $0.description < $1.description }
        try await call.db.transaction { tx in try await run(bulk, ids, call, tx) }
        return Single(BulkResult(changed: ids.count))
    }

    @inline(never)
    private static func run(_ bulk: Bulk, _ ids: [UUID], _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        switch bulk.action {
        case .complete:
            for id in ids {
                try await finish(id, Completion(at: nil, outcome: nil, durationSeconds: nil), call, tx)
            }
        case .delete: try await ActivityWriting.delete(ids, call, tx)
        case nil:
            for id in ids {
                let row = try await ActivityAccess.locked(id, call, tx)
                _ = try await tx.batch(
                    [
                        """
                        UPDATE activities SET owner_id = \(bulk.ownerId), version = version + 1, updated_at = now()
                         WHERE company_id = \(company) AND id = \(id)
                        """
                    ]
                        + ActivityWriting.told(
                            ActivityEvents.updated, "activity.changed", [id], row.get("kind"), call))
            }
        }
    }
}
