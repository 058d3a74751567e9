import API
import Core
import Postgres
import Wire

/// What one does with one's own notifications: one by one, and many at once.
enum InboxActs {
    @RouteList static var routes: [Route] {
        PATCH("/v1/notifications/{id}", "Mark, archive or snooze a notification", .member, change)
            .describe("`snoozed_until` takes it out of the way until then; null brings it back at once.")
        DELETE("/v1/notifications/{id}", "Delete a notification", .member, delete)
            .describe("It can be brought back for 30 days.")
        POST("/v1/notifications/{id}/restoration", "Bring a deleted notification back", .member, restore)
        POST("/v1/notifications/{id}/actions/{key}", "Do what a notification offers", .member, act)
            .describe("With your own rights: approving a request to join takes the permission for it.")
            .problems(.unknownAction, .actionTaken)
        POST("/v1/notifications/bulk-read", "Mark many as read", .member, bulk(.read)).problems(
            .nothingChosen)
        POST("/v1/notifications/bulk-unread", "Mark many as unread", .member, bulk(.unread)).problems(
            .nothingChosen)
        POST("/v1/notifications/bulk-seen", "Mark many as seen", .member, bulk(.seen)).problems(
            .nothingChosen)
        POST("/v1/notifications/bulk-archive", "Archive many", .member, bulk(.archived)).problems(
            .nothingChosen)
        POST("/v1/notifications/bulk-unarchive", "Take many out of the archive", .member, bulk(.unarchived))
            .describe("A filter means archived ones unless it says otherwise.").problems(.nothingChosen)
        POST("/v1/notifications/bulk-snooze", "Snooze many", .member, bulkSnooze)
            .describe(
                "Until `snoozed_until`, when each comes back as the newest, unread; null brings them back at once. A "
                    + "filter then means snoozed ones unless it says otherwise."
            )
            .problems(.nothingChosen)
            .example(body: ["filter": ["category": ["members"]], "snoozed_until": "2027-03-01T08:00:00Z"])
        POST("/v1/notifications/bulk-delete", "Delete many", .member, bulkDelete)
            .describe("The answer names the deletion, by which all of it can be brought back.")
            .problems(.nothingChosen)
        POST("/v1/notifications/bulk-restore", "Undo a deletion", .member, undo)
    }

    struct NotificationChange: Codable, Sendable {
        let read: Bool?
        let seen: Bool?
        let archived: Bool?
        let snoozedUntil: Clearable<Timestamp>
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<NotificationChange>) async throws
        -> Single<Notification>
    {
        let (company, user) = (try call.company, try call.user)
        var changes: [InboxChange] = []
        if let read = body.read { changes.append(read ? .read : .unread) }
        if let seen = body.seen { changes.append(seen ? .seen : .unseen) }
        if let archived = body.archived { changes.append(archived ? .archived : .unarchived) }
        if let snoozed = body.value.snoozedUntil {
            changes.append(.snoozed(until: try snoozed.map { try checked($0, call) }))
        }
        try await call.db.transaction { [changes] tx in
            let rows = try await tx.query(
                """
                SELECT version FROM notifications
                 WHERE company_id = \(company) AND user_id = \(user) AND id = \(id) AND seq IS NOT NULL
                   AND deleted_at IS NULL FOR UPDATE
                """)
            guard let row = rows.first else { throw Problem.notFound }
            try call.requireVersion(row.get("version"))
            for change in changes { try await change.apply(where: "n.id = \(id)", of: user, company, in: tx) }
            if let until = body.value.snoozedUntil ?? nil {
                try await Waking.schedule([id.value], of: user, at: until, company, in: tx)
            }
        }
        return try Single(await call.db.query("\(fragment: Inbox.select(user, company)) AND n.id = \(id)"))
    }

    private static func checked(_ time: Timestamp, _ call: Call) throws -> Timestamp {
        guard time > call.now, time < call.now + .seconds(snoozeDaysMax * 86_400) else {
            throw Problem.unprocessable(
                "/snoozed_until", "out-of-range", "must lie ahead, and within \(snoozeDaysMax) days")
        }
        return time
    }

    static let snoozeDaysMax = 366

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        try await one(id.value, .deleted(.v7()), "n.deleted_at IS NULL", call)
        return NoContent()
    }

    static func restore(_ call: Call, _ id: Path<UUID>) async throws -> Single<Notification> {
        try await one(id.value, .restored, "TRUE", call)
        let (company, user) = (try call.company, try call.user)
        return try Single(await call.db.query("\(fragment: Inbox.select(user, company)) AND n.id = \(id)"))
    }

    private static func one(_ id: UUID, _ change: InboxChange, _ condition: SQL, _ call: Call) async throws {
        let (company, user) = (try call.company, try call.user)
        try await call.db.transaction { tx in
            let ids = try await change.apply(
                where: "n.id = \(id) AND \(fragment: condition)", of: user, company, in: tx)
            if ids.isEmpty { throw Problem.notFound }
        }
    }

    // MARK: many at once

    struct Chosen: Codable, Sendable, FieldNotes {
        let ids: UpTo<500, UUID>?
        let filter: InboxFilter?

        static let fieldNotes = [
            "ids": "These; others than yours are passed over.",
            "filter": "All that the list would show with it. `{}` is the whole inbox.",
        ]
    }

    struct Changed: Codable, Sendable {
        let changed: Int
    }

    private static func bulk(_ change: InboxChange)
        -> @Sendable (Call, Body<Chosen>) async throws -> Single<Changed>
    {
        { call, body in
            let condition = try chosen(body.value, archivedIfSilent: change.act == "unarchived")
            let count = try await apply(change, condition, call)
            return Single(Changed(changed: count))
        }
    }

    struct Snoozed: Codable, Sendable {
        let ids: UpTo<500, UUID>?
        let filter: InboxFilter?
        let snoozedUntil: Clearable<Timestamp>
    }

    static func bulkSnooze(_ call: Call, _ body: Body<Snoozed>) async throws -> Single<Changed> {
        guard let wish = body.value.snoozedUntil else {
            throw Problem.unprocessable(
                "/snoozed_until", "required", "must be a time, or null to bring them back")
        }
        let until = try wish.map { try checked($0, call) }
        var filter = body.value.filter
        if until == nil, filter != nil, filter?.snoozed == nil { filter?.snoozed = true }
        let condition = try chosen(Chosen(ids: body.value.ids, filter: filter), archivedIfSilent: false)
        let (company, user) = (try call.company, try call.user)
        let count = try await call.db.transaction { tx in
            let change = InboxChange.snoozed(until: until)
            let ids = try await change.apply(where: condition, of: user, company, in: tx)
            if let until { try await Waking.schedule(ids, of: user, at: until, company, in: tx) }
            return ids.count
        }
        return Single(Changed(changed: count))
    }

    struct Deletion: Codable, Sendable {
        let changed: Int
        let deletionId: UUID
    }

    static func bulkDelete(_ call: Call, _ body: Body<Chosen>) async throws -> Single<Deletion> {
        let deletion = UUID.v7()
        let condition: SQL =
            "n.deleted_at IS NULL AND \(fragment: try chosen(body.value, archivedIfSilent: false))"
        let count = try await apply(.deleted(deletion), condition, call)
        return Single(Deletion(changed: count, deletionId: deletion))
    }

    struct Undo: Codable, Sendable {
        let deletionId: UUID
    }

    static func undo(_ call: Call, _ body: Body<Undo>) async throws -> Single<Changed> {
        let count = try await apply(.restored, "n.deletion_id = \(body.deletionId)", call)
        return Single(Changed(changed: count))
    }

    private static func apply(_ change: InboxChange, _ condition: SQL, _ call: Call) async throws -> Int {
        let (company, user) = (try call.company, try call.user)
        return try await call.db.transaction { tx in
            let ids = try await change.apply(where: condition, of: user, company, in: tx)
            return ids.count
        }
    }

    private static func chosen(_ chosen: Chosen, archivedIfSilent: Bool) throws -> SQL {
        switch (chosen.ids, chosen.filter) {
        case (let ids?, nil): return "n.id = ANY(\(ids.items)) AND n.deleted_at IS NULL"
        case (nil, var filter?):
            if archivedIfSilent, filter.archived == nil { filter.archived = true }
            return filter.condition
        case (nil, nil), (_?, _?): throw Problem(.nothingChosen)
        }
    }

    // MARK: actions

    static func act(_ call: Call, _ id: Path<UUID>, _ key: Path<Text<60>>) async throws -> Single<
        Notification
    > {
        let (company, user) = (try call.company, try call.user)
        let mine: SQL =
            "company_id = \(company) AND user_id = \(user) AND id = \(id) AND seq IS NOT NULL AND deleted_at IS NULL"
        let rows = try await call.db.query(
            "SELECT type, object_id, action_taken FROM notifications WHERE \(fragment: mine)")
        guard let row = rows.first else { throw Problem.notFound }
        let type = NotificationCatalogue.named(try row.get("type"))
        guard let action = type?.actions.first(where: { $0.key == key.text }),
            let object = try row.get("object_id", as: UUID?.self)
        else { throw Problem(.unknownAction) }
        // Claimed first, so that two clicks at once do it once; one whose process died is free again after a minute.
        let claimed = try await call.db.query(
            """
            UPDATE notifications SET action_taken = \(action.key), updated_at = now()
             WHERE \(fragment: mine) AND (action_taken IS NULL
                   OR action_at IS NULL AND updated_at < now() - interval '1 minute') RETURNING id
            """)
        guard !claimed.isEmpty else { throw Problem(.actionTaken) }
        do { try await action(call, object) } catch {
            _ = try await call.db.query(
                "UPDATE notifications SET action_taken = NULL WHERE \(fragment: mine) AND action_at IS NULL")
            throw error
        }
        try await call.db.transaction { tx in
            let done = InboxChange(
                act: "acted",
                assignments:
                    "action_at = now(), read_at = coalesce(n.read_at, now()), seen_at = coalesce(n.seen_at, now())"
            )
            try await done.apply(where: "n.id = \(id)", of: user, company, in: tx)
        }
        return try Single(await call.db.query("\(fragment: Inbox.select(user, company)) AND n.id = \(id)"))
    }
}
