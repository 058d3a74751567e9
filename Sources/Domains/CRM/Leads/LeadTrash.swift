import API
import Core
import Postgres
import Wire

/// The trash of leads: what is in it can be taken back for some weeks.
enum LeadTrash {
    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        try await call.db.transaction { tx in
            let head = try await LeadHead.lock(
                id.value, try call.company, tx, if: CRMAccess.visible(call, "l"))
            try call.requireVersion(head.version)
            try await remove(head, by: call.actor, try call.company, tx)
        }
        return NoContent()
    }

    @inline(never)
    static func remove(_ head: LeadHead, by actor: Audit.Actor, _ company: UUID, _ tx: Transaction)
        async throws
    {
        var statements: [SQL] = [
            """
            UPDATE leads SET deleted_at = now(), version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = \(head.id)
            """
        ]
        statements += Search.remove("lead", [head.id], company: company)
        statements += try LeadEvents.story(
            LeadEvents.deleted, "lead.deleted", head, before: ["title": .string(head.title)], by: actor,
            company)
        statements.append(LeadUpkeep.expect(company))
        _ = try await tx.batch(statements)
    }

    static func restore(_ call: Call, _ id: Path<UUID>) async throws -> Single<Lead> {
        try await call.db.transaction { tx in try await takeBack(id.value, call, tx) }
        return try await Leads.read(call, id)
    }

    @inline(never)
    private static func takeBack(_ id: UUID, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        let rule = try CRMAccess.visibleInTrash(call, "l")
        let there = try await tx.query(
            """
            SELECT \(fragment: rule) AND deleted_at > now() - make_interval(days => \(LeadLimits.trashDays)) AS is_trashed
              FROM leads l WHERE l.company_id = \(company) AND l.id = \(id)
               AND (\(fragment: rule) OR \(fragment: try CRMAccess.visible(call, "l")))
            """)
        guard let row = there.first else { throw Problem.notFound }
        guard try row.get("is_trashed", as: Bool?.self) ?? false else { throw Problem(.leadNotInTrash) }
        _ = try await tx.query(
            """
            UPDATE leads SET deleted_at = NULL, version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = \(id)
            """)
        try await LeadWriting.search(id, company: company, tx)
        let head = try await LeadHead.lock(id, company, tx)
        _ = try await tx.batch(
            try LeadEvents.story(LeadEvents.restored, "lead.restored", head, by: call.actor, company))
    }

    /// What has lain there for its time is gone, but for what became something: its history stays.
    static func sweep(_ company: UUID, _ db: Database) async throws {
        var isMore = true
        while isMore {
            isMore = try await db.transaction(as: Tenant(company: company)) { tx in
                try await swept(company, tx)
            }
        }
    }

    @inline(never)
    private static func swept(_ company: UUID, _ tx: Transaction) async throws -> Bool {
        let rows = try await tx.query(
            """
            SELECT l.id FROM leads l
             WHERE l.company_id = \(company) AND l.deleted_at < now() - make_interval(days => \(LeadLimits.trashDays))
               AND l.status <> 'converted'
               AND NOT EXISTS (SELECT 1 FROM lead_conversions v WHERE v.company_id = l.company_id AND v.lead_id = l.id)
               AND NOT EXISTS (SELECT 1 FROM deals d WHERE d.company_id = l.company_id AND d.lead_id = l.id)
             ORDER BY l.deleted_at LIMIT \(LeadLimits.sweptAtOnce) FOR UPDATE SKIP LOCKED
            """)
        let ids = try rows.map { try $0.get("id", as: UUID.self) }
        if ids.isEmpty { return false }
        _ = try await tx.batch(
            SubjectLeftovers.sql("lead", ids, company: company) + [
                "UPDATE submissions SET lead_id = NULL WHERE company_id = \(company) AND lead_id = ANY(\(ids)::uuid[])",
                "DELETE FROM leads WHERE company_id = \(company) AND id = ANY(\(ids)::uuid[])",
            ])
        return ids.count == LeadLimits.sweptAtOnce
    }
}
