import API
import Core
import Postgres
import Wire

/// What clients and contacts have in common: changed, archived, put into the trash and taken out again, one or many.
enum RecordLife {
    @RouteList static var routes: [Route] {
        DELETE("/v1/contacts/{id}", "Put a contact into the trash", .can(.crmWrite), end(.contact))
            .operation("deleteContact")
            .describe(
                "It can be taken out for \(ContactLimits.trashDays) days; until then its addresses stay its own."
            )
        POST("/v1/contacts/{id}/restore", "Take a contact out of the trash", .can(.crmWrite), restoreContact)
            .operation("restoreContact").problems(.notInTrash, .alreadyMerged).example(
                answer: Contact.example)
        POST("/v1/contacts/{id}/archive", "Archive a contact", .can(.crmWrite), contactStep(.archive))
            .operation("archiveContact").describe("It is left out of lists.").example(answer: Contact.example)
        POST(
            "/v1/contacts/{id}/unarchive", "Take a contact out of the archive", .can(.crmWrite),
            contactStep(.unarchive)
        )
        .operation("unarchiveContact").example(answer: Contact.example)
        DELETE("/v1/clients/{id}", "Put a client into the trash", .can(.crmWrite), end(.client))
            .operation("deleteClient").describe(
                "It can be taken out for \(ContactLimits.trashDays) days. Its contacts stay.")
        POST("/v1/clients/{id}/restore", "Take a client out of the trash", .can(.crmWrite), restoreClient)
            .operation("restoreClient").problems(.notInTrash, .alreadyMerged, .clientKnown).example(
                answer: ClientRecord.example)
        POST("/v1/clients/{id}/archive", "Archive a client", .can(.crmWrite), clientStep(.archive))
            .operation("archiveClient").describe("It is left out of lists.").example(
                answer: ClientRecord.example)
        POST(
            "/v1/clients/{id}/unarchive", "Take a client out of the archive", .can(.crmWrite),
            clientStep(.unarchive)
        )
        .operation("unarchiveClient").example(answer: ClientRecord.example)
    }

    enum Step: String, Sendable {
        case delete, restore, archive, unarchive

        var action: String {
            switch self {
            case .delete: "deleted"
            case .restore: "restored"
            case .archive: "archived"
            case .unarchive: "unarchived"
            }
        }

        var changes: SQL {
            switch self {
            case .delete: "deleted_at = now()"
            case .restore: "deleted_at = NULL"
            case .archive: "archived_at = coalesce(archived_at, now())"
            case .unarchive: "archived_at = NULL"
            }
        }

        var field: String { self == .archive || self == .unarchive ? "archived_at" : "deleted_at" }
    }

    private static func end(_ kind: CRMRecord) -> @Sendable (Call, Path<UUID>) async throws -> NoContent {
        { call, id in
            try await call.db.transaction { tx in
                let row = try await locked(kind, id.value, call, tx)
                try call.requireVersion(row.get("version"))
                try await take(.delete, kind, [id.value], by: call.actor, call.company, tx)
            }
            return NoContent()
        }
    }

    private static func contactStep(_ step: Step)
        -> @Sendable (Call, Path<UUID>) async throws -> Single<Contact>
    {
        { call, id in
            try await one(step, .contact, id.value, call)
            let rows = try await Contacts.rows(id.value, call)
            return try Single(rows, versionIsWhole: false)
        }
    }

    private static func clientStep(_ step: Step)
        -> @Sendable (Call, Path<UUID>) async throws -> Single<ClientRecord>
    {
        { call, id in
            try await one(step, .client, id.value, call)
            let rows = try await Clients.rows(id.value, call)
            return try Single(rows, versionIsWhole: false)
        }
    }

    @inline(never)
    private static func one(_ step: Step, _ kind: CRMRecord, _ id: UUID, _ call: Call) async throws {
        try await call.db.transaction { tx in
            let row = try await locked(kind, id, call, tx)
            try call.requireVersion(row.get("version"))
            try await take(step, kind, [id], by: call.actor, call.company, tx)
        }
    }

    static func restoreContact(_ call: Call, _ id: Path<UUID>) async throws -> Single<Contact> {
        try await restore(.contact, id.value, call)
        let rows = try await Contacts.rows(id.value, call)
        return try Single(rows, versionIsWhole: false)
    }

    static func restoreClient(_ call: Call, _ id: Path<UUID>) async throws -> Single<ClientRecord> {
        try await restore(.client, id.value, call)
        let rows = try await Clients.rows(id.value, call)
        return try Single(rows, versionIsWhole: false)
    }

    @inline(never)
    private static func restore(_ kind: CRMRecord, _ id: UUID, _ call: Call) async throws {
        let principal = try Contacts.known(call)
        try await call.db.transaction { tx in
            let company = try call.company
            let rows = try await tx.query(
                """
                SELECT deleted_at IS NULL AS is_there, merged_into FROM \(unescaped: kind.table) r
                 WHERE r.company_id = \(company) AND r.id = \(id) AND \(fragment: CRMAccess.isShown(to: principal, "r")) FOR UPDATE
                """)
            guard let row = rows.first else { throw Problem.notFound }
            if try row.get("is_there") { throw Problem(.notInTrash) }
            if let survivor = try row.get("merged_into", as: UUID?.self) {
                throw Problem(.alreadyMerged).with("survivor_id", .string(survivor.description))
            }
            try await take(.restore, kind, [id], by: call.actor, company, tx)
        }
    }

    // MARK: for one and for many

    /// The record as it is, locked; 404 unless the caller sees it.
    @inline(never)
    static func locked(_ kind: CRMRecord, _ id: UUID, _ call: Call, _ tx: Transaction) async throws -> Row {
        let rows = try await tx.query(
            """
            SELECT r.*, r.custom::text AS custom_text FROM \(unescaped: kind.table) r
             WHERE r.company_id = \(try call.company) AND r.id = \(id) AND \(fragment: try CRMAccess.visible(call, "r"))
               FOR UPDATE
            """)
        guard let row = rows.first else { throw Problem.notFound }
        return row
    }

    @inline(never)
    static func requireOwner(_ owner: UUID?, _ company: UUID, _ tx: Transaction) async throws {
        guard let owner else { return }
        let rows = try await tx.query(
            "SELECT 1 FROM memberships WHERE company_id = \(company) AND id = \(owner) AND status = 'active' FOR KEY SHARE"
        )
        if rows.isEmpty {
            throw Problem(
                .unknownOwner, nil, faults: [.at("/owner_id", "unknown-owner", "is no active member")])
        }
    }

    /// A conflict names the other record only to whoever sees it.
    @inline(never)
    static func seen(_ problem: Problem, _ kind: CRMRecord, _ call: Call) async -> Problem {
        let named = problem.extras.first { $0.name == "\(kind.rawValue)_id" }?.value.stringValue.flatMap {
            UUID($0)
        }
        guard let named, let principal = call.principal else { return problem }
        let rows = try? await call.db.query(
            """
            SELECT 1 FROM \(unescaped: kind.table) r WHERE r.company_id = \(principal.companyId) AND r.id = \(named)
               AND \(fragment: CRMAccess.isShown(to: principal, "r"))
            """)
        if rows?.isEmpty == false { return problem }
        return Problem(problem.code, "It is looked after by somebody else.")
    }

    /// Writes a change of one record with its record and its event.
    @inline(never)
    static func write(
        _ kind: CRMRecord, _ id: UUID, _ changes: Changes, tags: [UUID]?, before: Row, after: JSON,
        _ call: Call,
        _ tx: Transaction
    ) async throws {
        let company = try call.company
        var statements: [SQL] = [
            """
            UPDATE \(unescaped: kind.table) SET \(fragment: changes.sql) WHERE company_id = \(company) AND id = \(id)
            """
        ]
        if let tags {
            let unique = Array(Set(tags))
            try await Tags.mustExist(unique, at: "/tag_ids", company: company, in: tx)
            statements += tagging(kind).replace(with: unique, on: id, company: company)
        }
        let (old, new) = Audit.changed(try JSON(row: before), after)
        let names = new.objectValue?.members.map(\.key) ?? []
        // What names a person does not go into the record of acts, which outlives it.
        statements.append(
            Audit.sql(
                Audit.Entry(
                    "\(kind.rawValue).changed", on: kind.rawValue, id, before: veiled(old), after: veiled(new)
                ),
                by: call.actor, company: company))
        _ = try await tx.batch(statements)
        try await tell(kind, [id], changed: names, by: call.actor, company, tx)
    }

    private static func veiled(_ json: JSON) -> JSON {
        var object = json.objectValue ?? JSON.Object()
        for key in ["name", "first_name", "last_name", "job_title", "phone", "custom"]
        where object[key] != nil {
            object[key] = "(hidden)"
        }
        return .object(object)
    }

    static func tagging(_ kind: CRMRecord) -> Tagging {
        kind == .client ? CRMDomain.clientTags : CRMDomain.contactTags
    }

    /// One step of many records that are locked already; gives those that it changed.
    @inline(never) @discardableResult
    static func take(
        _ step: Step, _ kind: CRMRecord, _ ids: [UUID], by actor: Audit.Actor, _ company: UUID,
        _ tx: Transaction
    ) async throws -> Set<UUID> {
        let unchanged: SQL =
            switch step {
            case .archive: "archived_at IS NULL"
            case .unarchive: "archived_at IS NOT NULL"
            case .delete: "deleted_at IS NULL"
            case .restore: "deleted_at IS NOT NULL"
            }
        let rows = try await tx.query(
            """
            UPDATE \(unescaped: kind.table) SET \(fragment: step.changes), version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = ANY(\(ids)::uuid[]) AND \(fragment: unchanged)
            RETURNING id
            """)
        let changed = try rows.map { try $0.get("id", as: UUID.self) }
        if changed.isEmpty { return [] }
        _ = try await tx.batch(
            changed.map {
                Audit.sql(
                    Audit.Entry("\(kind.rawValue).\(step.action)", on: kind.rawValue, $0), by: actor,
                    company: company)
            } + [ContactUpkeep.expect(company)])
        try await tell(kind, changed, changed: [step.field], isGone: step == .delete, by: actor, company, tx)
        if step == .delete || step == .restore {
            if kind == .client {
                try await ContactSearch.renewClients(changed, company, tx)
            } else {
                try await ContactSearch.renew(changed, company, tx)
            }
        }
        return Set(changed)
    }

    /// Records the events of records that changed, as they are now.
    @inline(never)
    static func tell(
        _ kind: CRMRecord, _ ids: [UUID], changed: [String], isGone: Bool = false, by actor: Audit.Actor,
        _ company: UUID,
        _ tx: Transaction
    ) async throws {
        let extra = kind == .contact ? ", client_id" : ""
        let rows = try await tx.query(
            """
            SELECT id, name, owner_id, lifecycle\(unescaped: extra) FROM \(unescaped: kind.table)
             WHERE company_id = \(company) AND id = ANY(\(ids)::uuid[]) ORDER BY id
            """)
        if rows.isEmpty { return }
        let names = isGone ? nil : changed
        if kind == .contact {
            let all = try rows.map { row -> (subject: UUID, data: ContactEvents.Data) in
                let id: UUID = try row.get("id")
                return (
                    id,
                    ContactEvents.Data(
                        contactId: id, name: try row.get("name"), ownerId: try row.get("owner_id"),
                        clientId: try row.get("client_id"), lifecycle: try row.get("lifecycle"),
                        changed: names)
                )
            }
            let type = isGone ? ContactEvents.deleted : ContactEvents.updated
            _ = try await tx.query(try Events.sql(type, all: all, on: "contact", by: actor, company: company))
        } else {
            let all = try rows.map { row -> (subject: UUID, data: ClientEvents.Data) in
                let id: UUID = try row.get("id")
                return (
                    id,
                    ClientEvents.Data(
                        clientId: id, name: try row.get("name"), ownerId: try row.get("owner_id"),
                        lifecycle: try row.get("lifecycle"), changed: names)
                )
            }
            let type = isGone ? ClientEvents.deleted : ClientEvents.updated
            _ = try await tx.query(try Events.sql(type, all: all, on: "client", by: actor, company: company))
        }
    }
}
