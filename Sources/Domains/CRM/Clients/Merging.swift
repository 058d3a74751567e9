import API
import Core
import Postgres
import Wire

/// Two records become one: whatever points at the absorbed one points at the survivor afterwards, in one transaction.
///
/// The absorbed record stays as a shadow that names its survivor, with whatever the survivor had of its own already; that
/// is what makes it possible to take a merge back.
enum Merging {
    /// Fields whose value may be chosen, by what they are called in both tables.
    static func fields(of kind: CRMRecord) -> [String] {
        kind == .contact
            ? [
                "first_name", "last_name", "name", "job_title", "lifecycle", "owner_id", "client_id",
                "locale", "time_zone", "custom",
            ]
            : [
                "name", "website", "phone", "industry", "employees", "description", "lifecycle", "owner_id",
                "custom",
            ]
    }

    enum Side: String, Codable, CaseIterable, Sendable { case survivor, absorbed }

    /// Gives the id of the merge. Asking again, or at once, gives the same merge.
    @inline(never)
    static func merge(
        _ kind: CRMRecord, _ absorbed: UUID, into survivor: UUID, _ choice: [String: Side], _ call: Call,
        _ tx: Transaction
    ) async throws -> UUID {
        let company = try call.company
        let principal = try Contacts.known(call)
        if absorbed == survivor {
            throw Problem.unprocessable("/absorbed_id", "same", "is the record itself")
        }
        // In the order of their ids: two who merge the same pair, whichever way round, wait for each other.
        let rows = try await tx.query(
            """
            SELECT r.* FROM \(unescaped: kind.table) r
             WHERE r.company_id = \(company) AND r.id = ANY(\([survivor, absorbed])::uuid[])
               AND \(fragment: CRMAccess.isShown(to: principal, "r"))
             ORDER BY r.id FOR UPDATE
            """)
        var found: [UUID: JSON] = [:]
        for row in rows { found[try row.get("id")] = try JSON(row: row) }
        guard let one = found[survivor], let other = found[absorbed] else { throw Problem.notFound }
        for field in choice.keys.sorted() where !fields(of: kind).contains(field) {
            throw Problem.unprocessable("/fields/\(field)", "unknown-field", "is no field that can be chosen")
        }
        if let into = other["merged_into"]?.stringValue {
            guard into == survivor.description else {
                throw Problem(.alreadyMerged).with("survivor_id", .string(into))
            }
            let known = try await tx.query(
                """
                SELECT id FROM merges WHERE company_id = \(company) AND \(unescaped: "absorbed_\(kind.rawValue)") = \(absorbed)
                   AND undone_at IS NULL
                """)
            guard let row = known.first else { throw Problem.notFound }
            return try row.get("id")
        }
        if let into = one["merged_into"]?.stringValue {
            throw Problem(.alreadyMerged).with("survivor_id", .string(into))
        }
        if one["deleted_at"] ?? .null != .null || other["deleted_at"] ?? .null != .null {
            throw Problem.notFound
        }
        return try await write(kind, one, other, choice, survivor: survivor, absorbed: absorbed, call, tx)
    }

    @inline(never)
    private static func write(
        _ kind: CRMRecord, _ one: JSON, _ other: JSON, _ choice: [String: Side], survivor: UUID,
        absorbed: UUID, _ call: Call,
        _ tx: Transaction
    ) async throws -> UUID {
        let company = try call.company
        let yielded = try await yield(kind, survivor: survivor, absorbed: absorbed, company, tx)
        let moved = try await move(kind, from: absorbed, to: survivor, company, tx)
        let given = given(kind, one, other, choice)
        let merge = UUID.v7()
        let (s, a) = ("survivor_\(kind.rawValue)", "absorbed_\(kind.rawValue)")
        let (first, second) = survivor < absorbed ? (survivor, absorbed) : (absorbed, survivor)
        var statements: [SQL] = [
            """
            UPDATE \(unescaped: kind.table) SET merged_into = \(survivor), deleted_at = now(), version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = \(absorbed)
            """,
            set(kind, given, on: survivor, company),
            """
            INSERT INTO merges (company_id, id, \(unescaped: s), \(unescaped: a), before, given, moved, yielded, merged_by)
            VALUES (\(company), \(merge), \(survivor), \(absorbed), \(JSONText(one)), \(JSONText(given)), \(JSONText(moved)),
                    \(JSONText(yielded)), \(try call.member))
            """,
            """
            UPDATE duplicates SET state = 'merged', decided_by = \(try call.member), decided_at = now()
             WHERE company_id = \(company) AND \(unescaped: "first_\(kind.rawValue)") = \(first)
               AND \(unescaped: "second_\(kind.rawValue)") = \(second) AND state = 'open'
            """,
            Audit.sql(
                Audit.Entry(
                    "\(kind.rawValue).merged", on: kind.rawValue, survivor,
                    after: [
                        "absorbed_id": .string(absorbed.description), "merge_id": .string(merge.description),
                    ]),
                by: call.actor, company: company),
            try event(kind, merge, survivor, absorbed, isUndone: false, by: call.actor, company),
        ]
        if kind == .contact { statements.append(contacts(survivor, company)) }
        _ = try await tx.batch(statements)
        try await renew(kind, [survivor, absorbed], company, tx)
        return merge
    }

    static func event(
        _ kind: CRMRecord, _ merge: UUID, _ survivor: UUID, _ absorbed: UUID, isUndone: Bool,
        by actor: Audit.Actor,
        _ company: UUID
    ) throws -> SQL {
        try Events.sql(
            kind == .contact ? ContactEvents.merged : ClientEvents.merged,
            .init(mergeId: merge, survivorId: survivor, absorbedId: absorbed, isUndone: isUndone),
            on: kind.rawValue, survivor,
            by: actor, company: company)
    }

    static func renew(_ kind: CRMRecord, _ ids: [UUID], _ company: UUID, _ tx: Transaction) async throws {
        if kind == .contact {
            try await ContactSearch.renew(ids, company, tx)
        } else {
            try await ContactSearch.renewClients(ids, company, tx)
        }
    }

    /// What the survivor is given: what was chosen of the absorbed one, and what it did not have.
    private static func given(_ kind: CRMRecord, _ one: JSON, _ other: JSON, _ choice: [String: Side]) -> JSON
    {
        var given = JSON.Object()
        for field in fields(of: kind) {
            let (own, theirs) = (one[field] ?? .null, other[field] ?? .null)
            if field == "custom" {
                let isTheirs = choice[field] == .absorbed
                var whole = (isTheirs ? own : theirs).objectValue ?? JSON.Object()
                for (key, value) in ((isTheirs ? theirs : own).objectValue ?? JSON.Object()).members {
                    whole[key] = value
                }
                if JSON.object(whole) != own { given[field] = .object(whole) }
                continue
            }
            let wanted = choice[field] == .absorbed ? theirs : own == .null ? theirs : own
            if wanted != own, wanted != .null || choice[field] == .absorbed { given[field] = wanted }
        }
        // The host goes with the website it is of.
        if kind == .client, given["website"] != nil { given["domain_norm"] = other["domain_norm"] ?? .null }
        return .object(given)
    }

    /// Sets the columns of the object, each as its own type.
    static func set(_ kind: CRMRecord, _ values: JSON, on id: UUID, _ company: UUID) -> SQL {
        let columns = (values.objectValue?.members ?? []).map(\.key)
        let assignments = columns.map { "\($0) = given.\($0), " }.joined()
        return """
            UPDATE \(unescaped: kind.table) r SET \(unescaped: assignments)version = r.version + 1, updated_at = now()
              FROM jsonb_populate_record(NULL::\(unescaped: kind.table), \(JSONText(values))::jsonb) AS given
             WHERE r.company_id = \(company) AND r.id = \(id)
            """
    }

    /// The copies of the primary identities and of the primary client in a contact's own row.
    static func contacts(_ id: UUID, _ company: UUID) -> SQL {
        """
        UPDATE contacts c
           SET email = (SELECT i.value FROM contact_identities i WHERE i.company_id = c.company_id AND i.contact_id = c.id
                           AND i.kind = 'email' AND i.is_primary),
               phone = (SELECT i.value FROM contact_identities i WHERE i.company_id = c.company_id AND i.contact_id = c.id
                           AND i.kind = 'phone' AND i.is_primary),
               client_id = (SELECT l.client_id FROM contact_clients l WHERE l.company_id = c.company_id
                               AND l.contact_id = c.id AND l.is_primary)
         WHERE c.company_id = \(company) AND c.id = \(id)
        """
    }

    /// What both have and one alone may have gives way: primary identities and clients of the absorbed contact, relations
    /// between the two clients. Gives the rows as they were.
    @inline(never)
    private static func yield(
        _ kind: CRMRecord, survivor: UUID, absorbed: UUID, _ company: UUID, _ tx: Transaction
    ) async throws -> JSON {
        if kind == .client {
            // Between themselves they stand in no relation any more, and one has one parent; those rows stay as they are.
            return [:]
        }
        let answers = try await tx.batch([
            """
            UPDATE contact_identities i SET is_primary = false
             WHERE i.company_id = \(company) AND i.contact_id = \(absorbed) AND i.is_primary
               AND EXISTS (SELECT 1 FROM contact_identities o WHERE o.company_id = i.company_id
                              AND o.contact_id = \(survivor) AND o.kind = i.kind AND o.is_primary)
            RETURNING i.id
            """,
            """
            UPDATE contact_clients l SET is_primary = false
             WHERE l.company_id = \(company) AND l.contact_id = \(absorbed) AND l.is_primary
               AND EXISTS (SELECT 1 FROM contact_clients o WHERE o.company_id = l.company_id
                              AND o.contact_id = \(survivor) AND o.is_primary)
            RETURNING l.client_id AS id
            """,
        ])
        func ids(_ rows: Rows) throws -> JSON {
            .array(try rows.map { .string(try $0.get("id", as: UUID.self).description) })
        }
        return ["identities": try ids(answers[0]), "clients": try ids(answers[1])]
    }

    /// Moves all that the catalogue lists, and gives by column which rows went.
    @inline(never)
    private static func move(
        _ kind: CRMRecord, from absorbed: UUID, to survivor: UUID, _ company: UUID, _ tx: Transaction
    ) async throws -> JSON {
        let references = MergeCatalogue.references(to: kind).filter { $0.way != .stays }
        let answers = try await tx.batch(references.map { moving($0, from: absorbed, to: survivor, company) })
        var moved = JSON.Object()
        for (reference, rows) in zip(references, answers) where !rows.isEmpty {
            moved[reference.name] = .array(
                try rows.map { .string(try $0.get("key", as: UUID.self).description) })
        }
        return .object(moved)
    }

    private static func moving(
        _ reference: MergeCatalogue.Reference, from absorbed: UUID, to survivor: UUID, _ company: UUID
    ) -> SQL {
        let (table, column, key) = (reference.table, reference.column, reference.key)
        let only = reference.only.map { " AND r.\($0)" } ?? ""
        let also = reference.only.map { " AND there.\($0)" } ?? ""
        var condition: SQL = "TRUE"
        if reference.way == .moveUnlessThere {
            // Nothing stands in a relation to itself, and nothing twice.
            condition = """
                r.\(unescaped: key) <> \(survivor) AND NOT EXISTS (
                    SELECT 1 FROM \(unescaped: table) there WHERE there.company_id = r.company_id
                       AND there.\(unescaped: column) = \(survivor) AND there.\(unescaped: key) = r.\(unescaped: key)\(unescaped: also))
                """
        }
        if table == "client_relations" {
            condition = """
                \(fragment: condition) AND NOT EXISTS (
                    SELECT 1 FROM client_relations there WHERE there.company_id = r.company_id
                       AND \(survivor) IN (there.from_client, there.to_client)
                       AND (r.\(unescaped: key) IN (there.from_client, there.to_client)
                            OR there.kind = 'parent' AND r.kind = 'parent'))
                """
        }
        return """
            UPDATE \(unescaped: table) r SET \(unescaped: column) = \(survivor)
             WHERE r.company_id = \(company) AND r.\(unescaped: column) = \(absorbed)\(unescaped: only) AND \(fragment: condition)
            RETURNING r.\(unescaped: key) AS key
            """
    }
}
