import API
import Core
import Postgres
import Wire

/// Pairs of records that may be one, as the program finds them by and by.
enum Duplicates {
    @RouteList static var routes: [Route] {
        GET("/v1/duplicates", "List pairs that may be one", .can(.crmRead), list)
            .describe("Of records that the caller sees both of. Found within a minute or so of a change.")
            .example(answer: example)
        POST("/v1/duplicates/{id}/dismiss", "Say that the two are two", .can(.crmWrite), dismiss)
            .operation("dismissDuplicate").describe("The pair is not proposed again.")
            .problems(.duplicateDecided).example(answer: example)
        POST("/v1/duplicates/{id}/merge", "Make one of the two", .can(.crmManage), merge)
            .operation("mergeDuplicate").describe(
                "The survivor is the one that was there first unless `survivor_id` says otherwise."
            )
            .problems(.duplicateDecided, .alreadyMerged, .clientKnown).example(body: [
                "fields": ["name": "absorbed"]
            ])
    }

    static let example: JSON = [
        "id": .string(ContactEvents.someId.description), "kind": "contact",
        "first_id": .string(ContactEvents.someId.description),
        "second_id": .string(ContactEvents.otherId.description),
        "first_name": "Anna Berg", "second_name": "Anna Berg", "reasons": ["same-name"], "state": "open",
        "found_at": "2026-03-02T09:00:00.000000Z", "decided_by": nil, "decided_at": nil,
    ]

    struct Pair: Codable, Sendable, FieldNotes {
        let id: UUID
        let kind: Merges.Merge.Kind
        let firstId: UUID
        let secondId: UUID
        let firstName: String
        let secondName: String
        let reasons: [String]
        let state: State
        let foundAt: Timestamp
        let decidedBy: UUID?
        let decidedAt: Timestamp?

        enum State: String, Codable, CaseIterable, Sendable { case open, dismissed, merged }
        static let fieldNotes = ["reasons": "same-name: of contacts within one client, or of two clients."]
    }

    struct Filter: ListFilter {
        let kind: Merges.Merge.Kind?
        let state: [Pair.State]?
        static let sorts = ["-found_at"]
        static let ownFields: Set<String> = ["state"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Pair> {
        let states = (list.filter.state ?? [.open]).map(\.rawValue)
        let sql = select(try Contacts.known(call))
        return try await call.page(list, sql + " AND d.state = ANY(\(states)::text[])")
    }

    static func dismiss(_ call: Call, _ id: Path<UUID>) async throws -> Single<Pair> {
        let principal = try Contacts.known(call)
        try await call.db.transaction { tx in
            let pair = try await open(id.value, call, tx)
            _ = try await tx.batch([
                """
                UPDATE duplicates SET state = 'dismissed', decided_by = \(try call.member), decided_at = now()
                 WHERE company_id = \(try call.company) AND id = \(id)
                """,
                Audit.sql(
                    Audit.Entry(
                        "duplicate.dismissed", on: pair.kind.rawValue, pair.firstId,
                        after: ["other_id": .string(pair.secondId.description)]),
                    by: call.actor, company: try call.company),
            ])
        }
        let rows = try await call.db.query("\(fragment: select(principal)) AND d.id = \(id)")
        return try Single(rows)
    }

    struct Order: Codable, Sendable {
        let survivorId: UUID?
        let fields: [String: Merging.Side]?
    }

    static func merge(_ call: Call, _ id: Path<UUID>, _ body: Body<Order>) async throws -> Single<
        Merges.Merge
    > {
        let order = body.value
        let merge = try await call.db.transaction { tx in
            let pair = try await open(id.value, call, tx)
            let survivor = order.survivorId ?? pair.firstId
            guard [pair.firstId, pair.secondId].contains(survivor) else {
                throw Problem.unprocessable("/survivor_id", "not-one-of", "is neither of the two")
            }
            let absorbed = survivor == pair.firstId ? pair.secondId : pair.firstId
            return try await Merging.merge(
                pair.kind == .contact ? .contact : .client, absorbed, into: survivor, order.fields ?? [:],
                call, tx)
        }
        let rows = try await Merges.rows(merge, call)
        return try Single(rows)
    }

    @inline(never)
    private static func open(_ id: UUID, _ call: Call, _ tx: Transaction) async throws -> Pair {
        let rows = try await tx.query(
            "\(fragment: select(Contacts.known(call))) AND d.id = \(id) FOR UPDATE OF d")
        guard let pair = try rows.first?.decode(Pair.self) else { throw Problem.notFound }
        if pair.state != .open { throw Problem(.duplicateDecided) }
        return pair
    }

    /// Pairs of which the principal sees both.
    private static func select(_ principal: Principal) -> SQL {
        let hidden = principal.permissions.contains(.crmContactData)
        let name = { (alias: String) -> SQL in
            hidden
                ? "\(unescaped: alias).name"
                : "CASE WHEN \(unescaped: alias).name IN (\(unescaped: alias).email, \(unescaped: alias).phone) THEN '(hidden)' ELSE \(unescaped: alias).name END"
        }
        return """
            SELECT d.id, CASE WHEN d.first_contact IS NULL THEN 'client' ELSE 'contact' END AS kind,
                   coalesce(d.first_contact, d.first_client) AS first_id, coalesce(d.second_contact, d.second_client) AS second_id,
                   coalesce(\(fragment: name("a")), x.name) AS first_name, coalesce(\(fragment: name("b")), y.name) AS second_name,
                   d.reasons, d.state, d.found_at, d.decided_by, d.decided_at
              FROM duplicates d
              LEFT JOIN contacts a ON a.company_id = d.company_id AND a.id = d.first_contact
              LEFT JOIN contacts b ON b.company_id = d.company_id AND b.id = d.second_contact
              LEFT JOIN clients x ON x.company_id = d.company_id AND x.id = d.first_client
              LEFT JOIN clients y ON y.company_id = d.company_id AND y.id = d.second_client
             WHERE d.company_id = \(principal.companyId)
               AND (d.first_contact IS NULL OR \(fragment: CRMAccess.isShown(to: principal, "a"))
                                           AND \(fragment: CRMAccess.isShown(to: principal, "b"))
                    AND (d.state <> 'open' OR a.deleted_at IS NULL AND b.deleted_at IS NULL))
               AND (d.first_client IS NULL OR \(fragment: CRMAccess.isShown(to: principal, "x"))
                                          AND \(fragment: CRMAccess.isShown(to: principal, "y"))
                    AND (d.state <> 'open' OR x.deleted_at IS NULL AND y.deleted_at IS NULL))
            """
    }
}
