import API
import Core
import Postgres
import Wire

/// What people write down about a record: kept as activities of their own kind, with all that they said before.
enum Notes {
    @RouteList static var routes: [Route] {
        GET("/v1/notes", "List notes", .can(.crmRead), list).example(answer: ActivityExamples.note)
        POST("/v1/notes", "Write a note", .can(.crmWrite), create)
            .describe("`<@member_id>` mentions somebody, who is told of it when he may see it.")
            .example(
                body: [
                    "body": "Prefers mornings, never on Mondays.", "contact_ids": [ActivityExamples.contact],
                ],
                answer: ActivityExamples.note)
        GET("/v1/notes/{id}", "Read a note", .can(.crmRead), read).example(answer: ActivityExamples.note)
        PATCH("/v1/notes/{id}", "Change a note", .can(.crmWrite), change).ifMatch(.required)
            .describe("What it said before is kept.")
            .example(body: ["body": "Prefers mornings."], answer: ActivityExamples.note)
        DELETE("/v1/notes/{id}", "Put a note into the trash", .can(.crmWrite), delete)
            .describe("POST /v1/activities/{id}/restore takes it out again.")
        PUT("/v1/notes/{id}/pin", "Pin a note", .can(.crmWrite), pin).operation("pinNote").ifMatch(.ignored)
            .example(answer: ActivityExamples.note)
        DELETE("/v1/notes/{id}/pin", "Unpin a note", .can(.crmWrite), unpin).operation("unpinNote")
        GET("/v1/notes/{id}/edits", "See what a note said before", .can(.crmRead), edits)
            .operation("listNoteEdits")
            .example(answer: [
                "id": ActivityExamples.id, "title": "Prefers mornings", "body": "Prefers mornings.",
                "member_id": ActivityExamples.member, "member_name": "Olivia Hart",
                "created_at": "2026-11-24T08:00:00Z",
            ])
    }

    struct Note: Codable, Sendable {
        let id: UUID
        let title: String
        let body: String?
        let records: [RecordReference]
        let at: Timestamp
        let pinnedAt: Timestamp?
        let editedAt: Timestamp?
        let createdBy: UUID?
        let createdByName: String?
        let version: Int
        let createdAt: Timestamp
        let updatedAt: Timestamp
    }

    struct NewNote: Codable, Sendable {
        let title: Text<250>?
        let body: Prose<50_000>
        let clientIds: UpTo<20, UUID>?
        let contactIds: UpTo<20, UUID>?
        let leadIds: UpTo<20, UUID>?
        let dealIds: UpTo<20, UUID>?
    }

    struct NoteChange: Codable, Sendable {
        let title: Text<250>?
        let body: Prose<50_000>?
        let clientIds: UpTo<20, UUID>?
        let contactIds: UpTo<20, UUID>?
        let leadIds: UpTo<20, UUID>?
        let dealIds: UpTo<20, UUID>?
    }

    struct Edit: Codable, Sendable {
        let id: UUID
        let title: String
        let body: String?
        let memberId: UUID?
        let memberName: String?
        let createdAt: Timestamp
    }

    struct EditFilter: ListFilter {
        static let sorts = ["-created_at"]
    }

    private static func select(_ call: Call) throws -> SQL {
        guard let principal = call.principal else { throw Problem.unauthorized }
        return """
            SELECT n.id, n.title, n.body, n.records, n.at, n.pinned_at, n.edited_at, n.created_by, n.created_by_name,
                   n.version, n.created_at, n.updated_at, n.kind, n.direction, n.source, n.due
              FROM (\(fragment: Activities.forList(principal)) AND a.kind = 'note'
            """
    }

    static func list(_ call: Call, _ list: List<ActivityFilter>) async throws -> Page<Note> {
        guard let principal = call.principal else { throw Problem.unauthorized }
        let base = try "\(fragment: select(call))\(fragment: list.filter.conditions(principal))) n" as SQL
        return try await call.page(list, base)
    }

    @inline(never)
    private static func one(_ id: UUID, _ call: Call) async throws -> Rows {
        let sql = try select(call)
        return try await call.db.query(
            """
            SELECT n.id, n.title, n.body, n.records, n.at, n.pinned_at, n.edited_at, n.created_by, n.created_by_name,
                   n.version, n.created_at, n.updated_at FROM (\(fragment: sql) AND a.id = \(id)) n) n
            """)
    }

    static func create(_ call: Call, _ body: Body<NewNote>) async throws -> Created<Note> {
        let draft = body.value
        let records = ActivityRecords(
            clients: draft.clientIds?.items ?? [], contacts: draft.contactIds?.items ?? [],
            leads: draft.leadIds?.items ?? [], deals: draft.dealIds?.items ?? [])
        if records.count == 0 {
            throw Problem.unprocessable("/contact_ids", "required", "a note is about at least one record")
        }
        let title = draft.title?.text ?? firstLine(of: draft.body.text)
        var entry = Timeline.Entry(.note, title, on: records)
        entry.body = draft.body.text
        let made = entry
        try await call.db.transaction { tx in try await write(made, call, tx) }
        return try Created(await one(made.id, call))
    }

    /// What a note is called that has no title.
    private static func firstLine(of text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? text
        return line.count > 120 ? line.prefix(119) + "…" : line
    }

    @inline(never)
    private static func write(_ entry: Timeline.Entry, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        try await entry.records.require(call, tx)
        try await Timeline.log(entry, by: call.actor, company: company, in: tx)
        try await ActivityNews.mention(
            entry.body ?? "", in: entry.id, entry.title, by: call.actor, company, tx)
    }

    @inline(never)
    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Note> {
        try Single(await one(id.value, call), versionIsWhole: false)
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<NoteChange>) async throws -> Single<Note>
    {
        let note = body.value
        let change = ActivityChange(
            direction: nil, title: note.title, body: note.body.map { .some($0) }, at: nil, dueAt: nil,
            endsAt: nil,
            durationSeconds: nil, outcome: nil, participants: nil, fromAddress: nil, toAddresses: nil,
            ownerId: nil,
            remindAt: nil, clientIds: note.clientIds, contactIds: note.contactIds, leadIds: note.leadIds,
            dealIds: note.dealIds)
        try await call.db.transaction { tx in
            try await ActivityWriting.change(id.value, isNote: true, change, call, tx)
        }
        return try Single(await one(id.value, call))
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        try await call.db.transaction { tx in
            try await ActivityWriting.delete([id.value], isNote: true, call, tx)
        }
        return NoContent()
    }

    static func pin(_ call: Call, _ id: Path<UUID>) async throws -> Single<Note> {
        try await call.db.transaction { tx in try await setPin(id.value, true, call, tx) }
        return try Single(await one(id.value, call))
    }

    static func unpin(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        try await call.db.transaction { tx in try await setPin(id.value, false, call, tx) }
        return NoContent()
    }

    @inline(never)
    private static func setPin(_ id: UUID, _ isPinned: Bool, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        _ = try await ActivityAccess.locked(id, isNote: true, call, tx)
        _ = try await tx.batch(
            [
                """
                UPDATE activities
                   SET pinned_at = CASE WHEN \(isPinned) THEN coalesce(pinned_at, now()) END, version = version + 1,
                       updated_at = now()
                 WHERE company_id = \(company) AND id = \(id) AND (pinned_at IS NOT NULL) <> \(isPinned)
                """
            ]
                + ActivityWriting.told(
                    ActivityEvents.updated, isPinned ? "note.pinned" : "note.unpinned", [id], .note, call))
    }

    static func edits(_ call: Call, _ id: Path<UUID>, _ list: List<EditFilter>) async throws -> Page<Edit> {
        let note = try await one(id.value, call)
        if note.isEmpty { throw Problem.notFound }
        return try await call.page(
            list,
            """
            SELECT e.id, e.title, e.body, e.member_id,
                   (SELECT u.name FROM memberships m JOIN users u ON u.id = m.user_id
                     WHERE m.company_id = e.company_id AND m.id = e.member_id) AS member_name, e.created_at
              FROM activity_edits e
             WHERE e.company_id = \(call.company) AND e.activity_id = \(id.value)
            """)
    }
}
