import API
import Core
import Postgres
import Wire

/// How clients stand to each other.
enum ClientRelations {
    @RouteList static var routes: [Route] {
        GET("/v1/clients/{id}/relations", "List how a client stands to others", .can(.crmRead), list).example(
            answer: example)
        POST("/v1/clients/{id}/relations", "Say how a client stands to another", .can(.crmWrite), add)
            .operation("relateClients")
            .describe(
                "Read as: this client is the `kind` of the other. A client has one parent, and none is above itself."
            )
            .problems(.relationExists, .relationCircle, .tooManyParts)
            .example(
                body: ["kind": "parent", "client_id": .string(ContactEvents.otherId.description)],
                answer: example)
        DELETE("/v1/clients/{id}/relations/{relation_id}", "Take a relation away", .can(.crmWrite), remove)
            .operation("unrelateClients")
        GET("/v1/clients/{id}/stats", "Read a client's figures", .can(.crmRead), stats)
            .describe(
                "Sums in the company's currency, null without crm:amounts. Of deals that the caller sees."
            )
            .example(answer: [
                "contacts": 12, "open_deals": 2, "won_deals": 1, "open_minor": 250_000, "won_minor": 120_000,
                "last_deal_at": nil,
            ])
    }

    private static let example: JSON = [
        "id": .string(ContactEvents.someId.description), "kind": "parent", "is_of": true,
        "client_id": .string(ContactEvents.otherId.description), "name": "Northwind Ireland", "note": nil,
        "created_at": "2026-03-02T09:00:00.000000Z",
    ]

    enum Kind: String, Codable, CaseIterable, SQLBindable, Sendable {
        case parent, supplier, referrer, partner, competitor, other
    }

    struct Relation: Codable, Sendable, FieldNotes {
        let id: UUID
        let kind: Kind
        let isOf: Bool
        let clientId: UUID
        let name: String
        let note: String?
        let createdAt: Timestamp

        static let fieldNotes = [
            "is_of": "True: this client is the `kind` of the other. False: the other is that of this one."
        ]
    }

    struct NewRelation: Codable, Sendable {
        let kind: Kind
        let clientId: UUID
        let note: Text<500>?
    }

    static func list(_ call: Call, _ id: Path<UUID>) async throws -> Page<Relation> {
        try await CRMAccess.require(.client, id.value, call)
        return Page(
            all: try await call.db.query("\(fragment: select(id.value, call)) ORDER BY r.created_at, r.id"))
    }

    private static func select(_ id: UUID, _ call: Call) throws -> SQL {
        """
        SELECT r.id, r.kind, r.from_client = \(id) AS is_of, c.id AS client_id, c.name, r.note, r.created_at
          FROM client_relations r
          JOIN clients c ON c.company_id = r.company_id AND c.id = CASE WHEN r.from_client = \(id) THEN r.to_client ELSE r.from_client END
         WHERE r.company_id = \(try call.company) AND (r.from_client = \(id) OR r.to_client = \(id))
           AND \(fragment: try CRMAccess.visible(call, "c"))
        """
    }

    static func add(_ call: Call, _ id: Path<UUID>, _ body: Body<NewRelation>) async throws -> Created<
        Relation
    > {
        let relation = UUID.v7()
        let new = body.value
        try await call.db.transaction { tx in try await add(new, relation, of: id.value, call, tx) }
        let rows = try await call.db.query("\(fragment: select(id.value, call)) AND r.id = \(relation)")
        return try Created(rows)
    }

    @inline(never)
    private static func add(_ new: NewRelation, _ id: UUID, of client: UUID, _ call: Call, _ tx: Transaction)
        async throws
    {
        let company = try call.company
        let other = new.clientId
        if other == client { throw Problem.unprocessable("/client_id", "same", "is the client itself") }
        // Two relations that are sound by themselves may close a circle together.
        _ = try await tx.query(
            "SELECT pg_advisory_xact_lock(hashtextextended(\("client relations \(company)"), 0))")
        try await CRMAccess.require(.client, client, call, tx)
        try await CRMAccess.require(.client, other, call, tx)
        let rows = try await tx.query(
            """
            WITH RECURSIVE above AS (
                SELECT \(client)::uuid AS id
                UNION
                SELECT r.from_client FROM above
                  JOIN client_relations r ON r.company_id = \(company) AND r.to_client = above.id AND r.kind = 'parent')
            SELECT EXISTS (SELECT 1 FROM above WHERE id = \(other)) AS is_circle,
                   EXISTS (SELECT 1 FROM client_relations r WHERE r.company_id = \(company) AND r.kind = 'parent'
                              AND r.to_client = \(other)) AS has_parent,
                   (SELECT count(*) FROM client_relations r WHERE r.company_id = \(company)
                       AND (r.from_client = \(client) OR r.to_client = \(client))) AS count
            """)[0]
        if new.kind == .parent, try rows.get("is_circle") { throw Problem(.relationCircle) }
        if new.kind == .parent, try rows.get("has_parent") {
            throw Problem(.relationExists, "The other client has a parent already.")
        }
        if try rows.get("count", as: Int.self) >= ContactLimits.partsMax { throw Problem(.tooManyParts) }
        _ = try await tx.batch([
            """
            INSERT INTO client_relations (company_id, id, from_client, to_client, kind, note)
            VALUES (\(company), \(id), \(client), \(other), \(new.kind), \(new.note))
            """,
            Audit.sql(
                Audit.Entry(
                    "client.related", on: "client", client,
                    after: ["kind": .string(new.kind.rawValue), "client_id": .string(other.description)]),
                by: call.actor, company: company),
        ])
        try await RecordLife.tell(.client, [client], changed: ["relations"], by: call.actor, company, tx)
    }

    static func remove(_ call: Call, _ id: Path<UUID>, _ relation: Path<UUID>) async throws -> NoContent {
        try await call.db.transaction { tx in
            let company = try call.company
            try await CRMAccess.require(.client, id.value, call, tx)
            let rows = try await tx.query(
                """
                DELETE FROM client_relations WHERE company_id = \(company) AND id = \(relation)
                   AND (from_client = \(id) OR to_client = \(id)) RETURNING kind
                """)
            guard let row = rows.first else { throw Problem.notFound }
            try await Audit.record(
                Audit.Entry(
                    "client.unrelated", on: "client", id.value, before: ["kind": .string(try row.get("kind"))]
                ),
                by: call.actor, company: company, in: tx)
            try await RecordLife.tell(
                .client, [id.value], changed: ["relations"], by: call.actor, company, tx)
        }
        return NoContent()
    }

    struct Stats: Codable, Sendable {
        let contacts: Int
        let openDeals: Int
        let wonDeals: Int
        let openMinor: Int64?
        let wonMinor: Int64?
        let lastDealAt: Timestamp?
    }

    static func stats(_ call: Call, _ id: Path<UUID>) async throws -> Single<Stats> {
        try await CRMAccess.require(.client, id.value, call)
        let principal = try Contacts.known(call)
        let isShown = principal.permissions.contains(.crmAmounts)
        let rows = try await call.db.query(
            """
            SELECT (SELECT count(*) FROM contact_clients l JOIN contacts c ON c.company_id = l.company_id AND c.id = l.contact_id
                     WHERE l.company_id = \(principal.companyId) AND l.client_id = \(id)
                       AND \(fragment: CRMAccess.visible(principal, "c"))) AS contacts,
                   count(*) FILTER (WHERE d.stage_kind = 'open') AS open_deals,
                   count(*) FILTER (WHERE d.stage_kind = 'won') AS won_deals,
                   CASE WHEN \(isShown) THEN coalesce(sum(d.base_minor) FILTER (WHERE d.stage_kind = 'open'), 0)::bigint END AS open_minor,
                   CASE WHEN \(isShown) THEN coalesce(sum(d.base_minor) FILTER (WHERE d.stage_kind = 'won'), 0)::bigint END AS won_minor,
                   max(d.updated_at) AS last_deal_at
              FROM deals d
             WHERE d.company_id = \(principal.companyId) AND d.client_id = \(id) AND \(fragment: CRMAccess.visible(principal, "d"))
            """)
        return try Single(rows)
    }
}
