import API
import Core
import Postgres
import Wire

/// Merging records, and taking it back.
enum Merges {
    @RouteList static var routes: [Route] {
        POST(
            "/v1/contacts/{id}/merge", "Make another contact part of this one", .can(.crmManage),
            start(.contact)
        )
        .operation("mergeContact").describe(note).problems(.alreadyMerged).example(
            body: body, answer: example)
        POST(
            "/v1/clients/{id}/merge", "Make another client part of this one", .can(.crmManage), start(.client)
        )
        .operation("mergeClient").describe(note).problems(.alreadyMerged, .clientKnown).example(
            body: body, answer: example)
        GET("/v1/merges/{id}", "Read a merge", .can(.crmRead), read).example(answer: example)
        POST("/v1/merges/{id}/undo", "Make two records of one again", .can(.crmManage), undo)
            .operation("undoMerge")
            .describe(
                "For \(ContactLimits.undoDays) days. What was moved or set goes back unless it has changed since; "
                    + "`left_behind` names what did not."
            )
            .problems(.mergeUndone, .mergeTooOld, .clientKnown).example(answer: example)
    }

    private static let note =
        "All that points at the other points at this one afterwards. Of each field this one's value stays unless `fields` says "
        + "`absorbed`, and what is empty is filled. Asking twice is merging once."

    private static let body: JSON = [
        "absorbed_id": .string(ContactEvents.otherId.description), "fields": ["name": "absorbed"],
    ]

    private static let example: JSON = [
        "id": .string(ContactEvents.otherId.description), "kind": "contact",
        "survivor_id": .string(ContactEvents.someId.description),
        "absorbed_id": .string(ContactEvents.otherId.description),
        "merged_by": nil, "merged_at": "2026-03-02T09:00:00.000000Z", "undone_by": nil, "undone_at": nil,
        "left_behind": nil,
    ]

    struct Merge: Codable, Sendable {
        let id: UUID
        let kind: Kind
        let survivorId: UUID
        let absorbedId: UUID
        let mergedBy: UUID?
        let mergedAt: Timestamp
        let undoneBy: UUID?
        let undoneAt: Timestamp?
        let leftBehind: JSON?

        enum Kind: String, Codable, CaseIterable, Sendable { case contact, client }
    }

    struct Order: Codable, Sendable {
        let absorbedId: UUID
        let fields: [String: Merging.Side]?
    }

    private static func start(_ kind: CRMRecord)
        -> @Sendable (Call, Path<UUID>, Body<Order>) async throws -> Single<Merge>
    {
        { call, id, body in
            let (absorbed, choice) = (body.absorbedId, body.fields ?? [:])
            let merge = try await call.db.transaction { tx in
                try await Merging.merge(kind, absorbed, into: id.value, choice, call, tx)
            }
            let rows = try await rows(merge, call)
            return try Single(rows)
        }
    }

    @inline(never)
    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Merge> {
        let rows = try await rows(id.value, call)
        return try Single(rows)
    }

    static func undo(_ call: Call, _ id: Path<UUID>) async throws -> Single<Merge> {
        try await call.db.transaction { tx in try await MergeUndo.undo(id.value, call, tx) }
        let rows = try await rows(id.value, call)
        return try Single(rows)
    }

    @inline(never)
    static func rows(_ id: UUID, _ call: Call) async throws -> Rows {
        let principal = try Contacts.known(call)
        return try await call.db.query(
            """
            SELECT m.id, CASE WHEN m.survivor_contact IS NULL THEN 'client' ELSE 'contact' END AS kind,
                   coalesce(m.survivor_contact, m.survivor_client) AS survivor_id,
                   coalesce(m.absorbed_contact, m.absorbed_client) AS absorbed_id, m.merged_by, m.merged_at, m.undone_by,
                   m.undone_at, m.left_behind
              FROM merges m
             WHERE m.company_id = \(principal.companyId) AND m.id = \(id) AND (
                   EXISTS (SELECT 1 FROM contacts c WHERE c.company_id = m.company_id AND c.id = m.survivor_contact
                              AND \(fragment: CRMAccess.isShown(to: principal, "c")))
                OR EXISTS (SELECT 1 FROM clients c WHERE c.company_id = m.company_id AND c.id = m.survivor_client
                              AND \(fragment: CRMAccess.isShown(to: principal, "c"))))
            """)
    }
}
