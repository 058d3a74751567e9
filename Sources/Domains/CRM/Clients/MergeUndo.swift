import API
import Core
import Postgres
import Wire

/// Makes two records of one again: what still is as the merge left it goes back, what has changed since stays and is named.
enum MergeUndo {
    /// What could not be taken back.
    struct LeftBehind: Codable, Sendable {
        /// Fields of the survivor that were changed since.
        let fields: [String]
        /// By table and column, how many rows point elsewhere by now or are gone.
        let rows: [String: Int]
    }

    @inline(never)
    static func undo(_ merge: UUID, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        let principal = try Contacts.known(call)
        let rows = try await tx.query(
            """
            SELECT coalesce(survivor_contact, survivor_client) AS survivor, coalesce(absorbed_contact, absorbed_client) AS absorbed,
                   survivor_contact IS NOT NULL AS is_contact, before::text AS before, given::text AS given,
                   moved::text AS moved, yielded::text AS yielded, undone_at IS NOT NULL AS is_undone,
                   merged_at < now() - make_interval(days => \(ContactLimits.undoDays)) AS is_old
              FROM merges WHERE company_id = \(company) AND id = \(merge) FOR UPDATE
            """)
        guard let row = rows.first else { throw Problem.notFound }
        let kind: CRMRecord = try row.get("is_contact") ? .contact : .client
        let (survivor, absorbed): (UUID, UUID) = (try row.get("survivor"), try row.get("absorbed"))
        if try row.get("is_undone") { throw Problem(.mergeUndone) }
        if try row.get("is_old") { throw Problem(.mergeTooOld) }
        let there = try await tx.query(
            """
            SELECT r.* FROM \(unescaped: kind.table) r
             WHERE r.company_id = \(company) AND r.id = ANY(\([survivor, absorbed])::uuid[])
               AND \(fragment: CRMAccess.isShown(to: principal, "r"))
             ORDER BY r.id FOR UPDATE
            """)
        guard there.count == 2 else { throw Problem.notFound }
        let now =
            try there.first { try $0.get("id", as: UUID.self) == survivor }.map { try JSON(row: $0) } ?? .null
        let (before, given) = (
            try JSON.parse(row.get("before", as: String.self)),
            try JSON.parse(row.get("given", as: String.self))
        )
        var back = JSON.Object()
        var keptFields: [String] = []
        for (field, value) in given.objectValue?.members ?? [] {
            if now[field] ?? .null == value {
                back[field] = before[field] ?? .null
            } else {
                keptFields.append(field)
            }
        }
        _ = try await tx.batch([
            Merging.set(kind, .object(back), on: survivor, company),
            """
            UPDATE \(unescaped: kind.table) SET merged_into = NULL, deleted_at = NULL, version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = \(absorbed) AND merged_into = \(survivor)
            """,
        ])
        let moved = try JSON.parse(row.get("moved", as: String.self))
        let behind = try await moveBack(kind, moved, from: survivor, to: absorbed, company, tx)
        if kind == .contact {
            let yielded = try JSON.parse(row.get("yielded", as: String.self))
            try await giveBack(yielded, to: absorbed, survivor, company, tx)
        }
        let left = LeftBehind(fields: keptFields, rows: behind)
        _ = try await tx.batch([
            """
            UPDATE merges SET undone_at = now(), undone_by = \(try call.member), left_behind = \(JSONText(try JSON(encoding: left)))
             WHERE company_id = \(company) AND id = \(merge)
            """,
            // The pair has been decided on: it is not proposed again.
            """
            UPDATE duplicates SET state = 'dismissed', decided_at = now()
             WHERE company_id = \(company) AND state = 'merged'
               AND \(unescaped: "first_\(kind.rawValue)") = least(\(survivor)::uuid, \(absorbed)::uuid)
               AND \(unescaped: "second_\(kind.rawValue)") = greatest(\(survivor)::uuid, \(absorbed)::uuid)
            """,
            Audit.sql(
                Audit.Entry(
                    "\(kind.rawValue).merge_undone", on: kind.rawValue, survivor,
                    after: ["absorbed_id": .string(absorbed.description)]),
                by: call.actor, company: company),
            try Merging.event(kind, merge, survivor, absorbed, isUndone: true, by: call.actor, company),
        ])
        try await Merging.renew(kind, [survivor, absorbed], company, tx)
    }

    @inline(never)
    private static func moveBack(
        _ kind: CRMRecord, _ moved: JSON, from survivor: UUID, to absorbed: UUID, _ company: UUID,
        _ tx: Transaction
    ) async throws -> [String: Int] {
        var behind: [String: Int] = [:]
        for reference in MergeCatalogue.references(to: kind) {
            let keys = (moved[reference.name]?.arrayValue ?? []).compactMap {
                $0.stringValue.flatMap { UUID($0) }
            }
            if keys.isEmpty { continue }
            let only = reference.only.map { " AND \($0)" } ?? ""
            let rows = try await tx.query(
                """
                UPDATE \(unescaped: reference.table) SET \(unescaped: reference.column) = \(absorbed)
                 WHERE company_id = \(company) AND \(unescaped: reference.column) = \(survivor)
                   AND \(unescaped: reference.key) = ANY(\(keys)::uuid[])\(unescaped: only)
                RETURNING 1
                """)
            if rows.count < keys.count { behind[reference.name] = keys.count - rows.count }
        }
        return behind
    }

    /// What gave way is first again, and both say so in their own rows.
    @inline(never)
    private static func giveBack(
        _ yielded: JSON, to absorbed: UUID, _ survivor: UUID, _ company: UUID, _ tx: Transaction
    ) async throws {
        func ids(_ key: String) -> [UUID] {
            (yielded[key]?.arrayValue ?? []).compactMap { $0.stringValue.flatMap { UUID($0) } }
        }
        _ = try await tx.batch([
            """
            UPDATE contact_identities i SET is_primary = true
             WHERE i.company_id = \(company) AND i.contact_id = \(absorbed) AND i.id = ANY(\(ids("identities"))::uuid[])
               AND NOT EXISTS (SELECT 1 FROM contact_identities o WHERE o.company_id = i.company_id
                                  AND o.contact_id = i.contact_id AND o.kind = i.kind AND o.is_primary)
            """,
            """
            UPDATE contact_clients l SET is_primary = true
             WHERE l.company_id = \(company) AND l.contact_id = \(absorbed) AND l.client_id = ANY(\(ids("clients"))::uuid[])
               AND NOT EXISTS (SELECT 1 FROM contact_clients o WHERE o.company_id = l.company_id
                                  AND o.contact_id = l.contact_id AND o.is_primary)
            """,
            Merging.contacts(absorbed, company), Merging.contacts(survivor, company),
        ])
    }
}
