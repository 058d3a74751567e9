import API
import Core
import Postgres
import Wire

/// The one way activities are changed: with what they said before, their place in timelines, record and event.
enum ActivityWriting {
    @inline(never)
    static func change(
        _ id: UUID, isNote: Bool = false, _ change: ActivityChange, _ call: Call, _ tx: Transaction
    ) async throws {
        if change.fromAddress != nil || change.toAddresses != nil { try call.require(.crmContactData) }
        let (company, member) = (try call.company, try call.member)
        let old = try await ActivityAccess.locked(id, isNote: isNote, call, tx)
        try call.requireVersion(old.get("version"))
        let kind = try old.get("kind", as: ActivityKind.self)
        let isOpen = try old.get("completed_at", as: Timestamp?.self) == nil
        if change.dueAt != nil, !isOpen { throw Problem(.activityIsDone) }
        if change.at != nil, isOpen {
            throw Problem.unprocessable("/at", "not-allowed", "what is planned has `due_at` alone")
        }
        let (title, text) = (try old.get("title", as: String.self), try old.get("body", as: String?.self))
        let isEdited =
            change.title.map { $0.text != title } ?? false || change.body.map { $0?.text != text } ?? false
        var statements: [SQL] = []
        if kind == .note, isEdited {
            statements.append(
                """
                INSERT INTO activity_edits (company_id, activity_id, id, member_id, title, body)
                VALUES (\(company), \(id), \(UUID.v7()), \(member), \(title), \(text))
                """)
        }
        statements += update(id, change, isEdited: kind == .note && isEdited, company)
        let replaced = records(of: change)
        try await replaced.all.require(call, tx)
        for kind in replaced.kinds { statements.append(try unlink(id, kind, call)) }
        statements += replaced.all.insert(id, company: company)
        let words = SearchText(
            title: [change.title?.text ?? title], body: [change.body.map { $0?.text } ?? text])
        statements += Search.put("activity", id, words, company: company)
        statements += try told(ActivityEvents.updated, "activity.changed", [id], kind, call)
        statements.append(ActivityUpkeep.expect(company))
        _ = try await tx.batch(statements)
    }

    private static func update(_ id: UUID, _ change: ActivityChange, isEdited: Bool, _ company: UUID) -> [SQL]
    {
        var changes = Changes()
        changes.set("direction", change.direction)
        changes.set("title", change.title)
        changes.set("body", change.body)
        changes.set("at", change.dueAt ?? change.at)
        changes.set("due_at", change.dueAt)
        changes.set("ends_at", change.endsAt)
        changes.set("duration_seconds", change.durationSeconds)
        changes.set("outcome", change.outcome)
        changes.set("participants", change.participants)
        changes.set("from_address", change.fromAddress)
        changes.set("to_addresses", change.toAddresses)
        changes.set("owner_id", change.ownerId)
        changes.set("remind_at", change.remindAt)
        if isEdited { changes.set("edited_at", to: "now()") }
        let moved: [SQL] = change.dueAt == nil && change.at == nil ? [] : [place([id], company)]
        return ["UPDATE activities SET \(fragment: changes.sql) WHERE company_id = \(company) AND id = \(id)"]
            + moved
    }

    /// Puts activities where they now belong in timelines.
    static func place(_ ids: [UUID], _ company: UUID) -> SQL {
        """
        UPDATE activity_links l SET at = a.at FROM activities a
         WHERE l.company_id = \(company) AND l.activity_id = ANY(\(ids)::uuid[])
           AND a.company_id = l.company_id AND a.id = l.activity_id AND l.at <> a.at
        """
    }

    private static func records(of change: ActivityChange) -> (all: ActivityRecords, kinds: [CRMRecord]) {
        let given: [(CRMRecord, [UUID]?)] = [
            (.client, change.clientIds?.items), (.contact, change.contactIds?.items),
            (.lead, change.leadIds?.items),
            (.deal, change.dealIds?.items),
        ]
        let all = ActivityRecords(
            clients: given[0].1 ?? [], contacts: given[1].1 ?? [], leads: given[2].1 ?? [],
            deals: given[3].1 ?? [])
        return (all, given.filter { $0.1 != nil }.map(\.0))
    }

    /// What the caller does not see he does not take away.
    private static func unlink(_ id: UUID, _ kind: CRMRecord, _ call: Call) throws -> SQL {
        """
        DELETE FROM activity_links l USING \(unescaped: kind.table) r
         WHERE l.company_id = \(try call.company) AND l.activity_id = \(id) AND r.company_id = l.company_id
           AND r.id = l.\(unescaped: "\(kind.rawValue)_id") AND \(fragment: try CRMAccess.visible(call, "r"))
        """
    }

    /// Puts those that the caller sees into the trash; 404 when one of them is not there.
    @inline(never)
    static func delete(_ ids: [UUID], isNote: Bool = false, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        var statements: [SQL] = [
            """
            UPDATE activities SET deleted_at = now(), version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = ANY(\(ids)::uuid[])
            """,
            ActivityUpkeep.expect(company, at: "now() + make_interval(days => \(ActivityLimits.trashDays))"),
        ]
        for id in ids {
            let row = try await ActivityAccess.locked(id, isNote: isNote, call, tx)
            if ids.count == 1 { try call.requireVersion(row.get("version")) }
            statements += try told(ActivityEvents.deleted, "activity.deleted", [id], row.get("kind"), call)
        }
        _ = try await tx.batch(statements + Search.remove("activity", ids, company: company))
    }

    /// The record and the event of each.
    static func told(
        _ event: EventType<ActivityEvents.ChangeData>, _ action: String, _ ids: [UUID], _ kind: ActivityKind,
        _ call: Call
    ) throws -> [SQL] {
        let (company, actor) = (try call.company, call.actor)
        return try ids.flatMap { id -> [SQL] in
            [
                Audit.sql(Audit.Entry(action, on: "activity", id), by: actor, company: company),
                try Events.sql(
                    event, ActivityEvents.ChangeData(activityId: id, kind: kind), on: "activity", id,
                    by: actor,
                    company: company),
            ]
        }
    }
}
