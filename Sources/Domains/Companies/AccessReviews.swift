import API
import Core
import Postgres
import Wire

extension Permission {
    public static let accessReviewsRead = Permission(
        "access_reviews:read", "See reviews of who may do what", [.owner, .admin])
    public static let accessReviewsWrite = Permission(
        "access_reviews:write", "Review who may do what, and take away what is not needed", [.owner, .admin])
}

/// Reviews of who may do what: opened over everything members hold at that moment, decided item by item, and closed,
/// which takes away at once what is not to be kept.
enum AccessReviews {
    @RouteList static var routes: [Route] {
        GET("/v1/access-reviews", "List access reviews", .can(.accessReviewsRead), list)
        POST("/v1/access-reviews", "Open an access review", .can(.accessReviewsWrite), open)
            .describe(
                "Takes down every role and grant of the active members and service accounts, with who gave it and when it was last "
                    + "used. On the day it is due those who may decide are reminded, the day after its owners are told that "
                    + "it is overdue."
            )
            .problems(.tooManyReviews)
            .example(body: ["name": "Autumn review", "due_on": "2030-10-31"])
        GET("/v1/access-reviews/{id}", "Read an access review", .can(.accessReviewsRead), read)
        GET("/v1/access-reviews/{id}/items", "List what is reviewed", .can(.accessReviewsRead), items)
        GET(
            "/v1/access-reviews/{id}/items.csv", "Take what is reviewed away as a file",
            .can(.accessReviewsRead), export
        )
        .operation("exportAccessReview").secret.media("text/csv")
        PUT(
            "/v1/access-reviews/{id}/items/{item_id}/decision", "Decide on an item",
            .can(.accessReviewsWrite), decide
        ).operation("decideAccessReviewItem").problems(.reviewClosed, .ownAccess)
            .example(body: ["decision": "remove", "note": "Has moved to another team"])
        PUT(
            "/v1/access-reviews/{id}/decisions", "Decide on many items alike", .can(.accessReviewsWrite),
            decideMany
        )
        .operation("decideAccessReviewItems").problems(.reviewClosed, .ownAccess)
        POST(
            "/v1/access-reviews/{id}/closure", "Close an access review", .can(.accessReviewsWrite),
            AccessReviewClosing.close
        )
        .operation("closeAccessReview")
        .describe(
            "Takes away what is to be removed, in one transaction and from the next request on. Nobody takes from whoever "
                + "holds more than he does, and the company keeps an owner. A member left without roles stays a member."
        )
        .problems(.reviewClosed, .reviewUndecided, .memberOutranksYou, .lastOwner)
    }

    struct Filter: ListFilter {
        let state: [ReviewState]?

        static let search = ["name"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<AccessReview> {
        try await call.page(list, select(call.company))
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<AccessReview> {
        try Single(await call.db.query("\(fragment: select(call.company)) AND v.id = \(id)"))
    }

    static func open(_ call: Call, _ body: Body<NewAccessReview>) async throws -> Created<AccessReview> {
        let (company, user) = (try call.company, try call.user)
        let id = UUID.v7()
        let actor = call.actor
        // Nobody's roles change while they are taken down.
        try await call.underCompanyLock { tx, locked in
            try await take(body.value, id, by: user, actor, company, locked.name, in: tx)
        }
        return try Created(await call.db.query("\(fragment: select(company)) AND v.id = \(id)"))
    }

    @inline(never)
    private static func take(
        _ wanted: NewAccessReview, _ id: UUID, by user: UUID, _ actor: Audit.Actor, _ company: UUID,
        _ companyName: String, in tx: Transaction
    ) async throws {
        let permits = try await ReviewedRoles(of: company, in: tx)
        let limit: SQL = .below(
            CompanyLimits.reviewsMax, "SELECT count(*) FROM access_reviews WHERE company_id = \(company)",
            else: .tooManyReviews)
        _ = try await tx.batch([
            """
            INSERT INTO access_reviews (company_id, id, name, due_on, opened_by)
            SELECT \(company), \(id), \(wanted.name), \(wanted.dueOn), \(user) WHERE \(fragment: limit)
            """,
            permits.takeRoles(of: company, into: id), takeGrants(of: company, into: id),
            Audit.sql(
                Audit.Entry(
                    "access_review.opened", on: "access_review", id,
                    after: ["name": .string(wanted.name.text)]),
                by: actor, company: company),
            try Events.sql(
                CompanyEvents.accessReviewOpened, .init(accessReviewId: id, name: wanted.name.text),
                on: "access_review",
                id, by: actor, company: company),
        ])
        if let due = wanted.dueOn { try await AccessReviewReminders.plan(id, due: due, company, in: tx) }
        let values: JSON = ["review": .string(wanted.name.text), "company": .string(companyName)]
        try await Notify.record(
            News(CompanyNews.reviewOpened, about: .init("access_review", id), values: values, by: actor),
            to: .users([], as: "role").and(roles: CompanyNews.keepers), company: company, in: tx)
    }

    private static func takeGrants(of company: UUID, into review: UUID) -> SQL {
        """
        INSERT INTO access_review_items (company_id, id, review_id, member_id, kind, role_id, role_name, grant_id,
                                         object_type, object_id, granted_by, granted_at)
        SELECT g.company_id, gen_random_uuid(), \(review)::uuid, g.member_id, 'grant', g.role_id, r.name, g.id,
               g.object_type, g.object_id, g.granted_by, g.created_at
          FROM object_grants g
          JOIN memberships m ON m.company_id = g.company_id AND m.id = g.member_id AND m.status <> 'removed'
          JOIN roles r ON r.company_id = g.company_id AND r.id = g.role_id
         WHERE g.company_id = \(company)
        """
    }

    struct ItemFilter: ListFilter {
        let memberId: UUID?
        let roleId: UUID?
        let kind: [Text<10>]?
        let decision: [Text<10>]?
        let isDecided: Bool?
        /// Not used since that day, or never.
        let unusedSince: LocalDate?

        static let sorts = ["member_name", "role_name", "-granted_at"]
        static let search = ["member_name", "member_email", "role_name"]
        static let ownFields: Set<String> = ["is_decided", "unused_since"]
    }

    static func items(_ call: Call, _ id: Path<UUID>, _ list: List<ItemFilter>) async throws -> Page<
        AccessReviewItem
    > {
        try await mustExist(id.value, call)
        var sql = try selectItems(id.value, call.company)
        if let isDecided = list.filter.isDecided { sql += " AND (i.decision IS NOT NULL) = \(isDecided)" }
        if let day = list.filter.unusedSince {
            sql += " AND i.kind = 'role' AND (i.last_used_on IS NULL OR i.last_used_on < \(day)::date)"
        }
        return try await call.page(list, sql)
    }

    static func export(_ call: Call, _ id: Path<UUID>) async throws -> Raw {
        let company = try call.company
        try await mustExist(id.value, call)
        let rows = try await call.db.report(
            """
            SELECT member_name AS member, coalesce(member_email, '') AS email, kind, role_name AS role,
                   coalesce(object_type, '') AS object_type, coalesce(object_id::text, '') AS object_id,
                   coalesce(granted_by_name, '') AS granted_by,
                   to_char(granted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS granted_at,
                   coalesce(last_used_on::text, '') AS last_used_on, coalesce(decision, '') AS decision,
                   coalesce(note, '') AS note, coalesce(outcome, '') AS outcome
              FROM (\(fragment: selectItems(id.value, company))) item
             ORDER BY member_name, role_name, id LIMIT \(CompanyLimits.exportedItemsMax)
            """)
        try await call.db.transaction { tx in
            try await Audit.record(
                Audit.Entry(
                    "access_review.exported", on: "access_review", id.value, after: ["rows": JSON(rows.count)]
                ),
                by: call.actor, company: company, in: tx)
        }
        return try CSVAnswer.of(rows, named: "access-review.csv")
    }

    static func decide(
        _ call: Call, _ id: Path<UUID>, _ item: Path<UUID>, _ body: Body<ItemDecision>
    ) async throws -> Single<AccessReviewItem> {
        try await decide(on: [item.value], of: id.value, body.decision, body.note, call)
        return try Single(
            await call.db.query("\(fragment: selectItems(id.value, call.company)) AND i.id = \(item)"))
    }

    static func decideMany(_ call: Call, _ id: Path<UUID>, _ body: Body<ItemDecisions>) async throws
        -> Single<
            DecidedItems
        >
    {
        try await decide(on: body.itemIds.items, of: id.value, body.decision, body.note, call)
        return Single(DecidedItems(decided: Set(body.itemIds.items).count))
    }

    private static func decide(
        on items: [UUID], of review: UUID, _ decision: ReviewDecision, _ note: Text<300>?, _ call: Call
    ) async throws {
        let (company, user) = (try call.company, try call.user)
        let actor = call.actor
        try await call.db.transaction { tx in
            try await mustBeOpen(review, company, in: tx)
            let rows = try await tx.query(
                """
                SELECT i.id, m.user_id = \(user) AS is_own
                  FROM access_review_items i
                  JOIN memberships m ON m.company_id = i.company_id AND m.id = i.member_id
                 WHERE i.company_id = \(company) AND i.review_id = \(review) AND i.id = ANY(\(items))
                """)
            guard rows.count == Set(items).count else { throw Problem.notFound }
            for row in rows where try row.get("is_own", as: Bool.self) { throw Problem(.ownAccess) }
            _ = try await tx.batch([
                """
                UPDATE access_review_items
                   SET decision = \(decision), note = \(note), decided_by = \(user), decided_at = now()
                 WHERE company_id = \(company) AND review_id = \(review) AND id = ANY(\(items))
                """,
                Audit.sql(
                    Audit.Entry(
                        "access_review.decided", on: "access_review", review,
                        after: ["decision": .string(decision.rawValue), "items": JSON(items.count)]),
                    by: actor, company: company),
            ])
        }
    }

    /// FOR SHARE: who closes it waits for the decisions under way, and they for it.
    @inline(never)
    private static func mustBeOpen(_ id: UUID, _ company: UUID, in tx: Transaction) async throws {
        let rows = try await tx.query(
            "SELECT state FROM access_reviews WHERE company_id = \(company) AND id = \(id) FOR SHARE")
        guard let row = rows.first else { throw Problem.notFound }
        guard try row.get("state", as: ReviewState.self) == .open else { throw Problem(.reviewClosed) }
    }

    private static func mustExist(_ id: UUID, _ call: Call) async throws {
        let rows = try await call.db.query(
            "SELECT 1 FROM access_reviews WHERE company_id = \(call.company) AND id = \(id)")
        if rows.isEmpty { throw Problem.notFound }
    }

    static func select(_ company: UUID) -> SQL {
        """
        SELECT v.id, v.name, v.due_on, v.state, v.opened_by, u.name AS opened_by_name, n.item_count, n.undecided_count,
               n.remove_count, v.closed_by, v.closed_at, v.version, v.created_at, v.updated_at
          FROM access_reviews v
          LEFT JOIN users u ON u.id = v.opened_by
         CROSS JOIN LATERAL (
               SELECT count(*) AS item_count, count(*) FILTER (WHERE i.decision IS NULL) AS undecided_count,
                      count(*) FILTER (WHERE i.decision = 'remove') AS remove_count
                 FROM access_review_items i WHERE i.company_id = v.company_id AND i.review_id = v.id) n
         WHERE v.company_id = \(company)
        """
    }

    private static func selectItems(_ review: UUID, _ company: UUID) -> SQL {
        """
        SELECT i.id, i.member_id, u.name AS member_name, u.email AS member_email, i.kind, i.role_id, i.role_name,
               i.object_type, i.object_id, i.granted_by, g.name AS granted_by_name, i.granted_at, i.last_used_on,
               i.decision, i.note, i.decided_by, i.decided_at, i.outcome
          FROM access_review_items i
          JOIN memberships m ON m.company_id = i.company_id AND m.id = i.member_id
          JOIN users u ON u.id = m.user_id
          LEFT JOIN users g ON g.id = i.granted_by
         WHERE i.company_id = \(company) AND i.review_id = \(review)
        """
    }
}

/// The roles of a company with what each permits, so that the database can tell when a role was last used.
struct ReviewedRoles {
    struct Role: Sendable {
        let id: UUID
        let key: String
        let name: String
        let permissions: PermissionSet

        var asName: RoleName { RoleName(id: id, key: key, name: name) }
    }

    let roles: [Role]

    static func sql(_ company: UUID) -> SQL {
        "SELECT id, key, name, is_builtin, permissions FROM roles WHERE company_id = \(company) ORDER BY name, id"
    }

    init(_ rows: Rows) throws {
        roles = try rows.map { row in
            let key: String = try row.get("key")
            return Role(
                id: try row.get("id"), key: key, name: try row.get("name"),
                permissions: PermissionSet.ofRole(
                    key: key, isBuiltIn: try row.get("is_builtin"), custom: try row.get("permissions")))
        }
    }

    init(of company: UUID, in tx: Transaction) async throws {
        let rows = try await tx.query(Self.sql(company))
        try self.init(rows)
    }

    /// Every role somebody has goes into the review, with the last day on which he used anything it permits.
    func takeRoles(of company: UUID, into review: UUID) -> SQL {
        let pairs = roles.flatMap { role in role.permissions.names.map { (role.id, $0) } }
        return """
            WITH permits AS (
                SELECT * FROM unnest(\(pairs.map(\.0))::uuid[], \(pairs.map(\.1))::text[]) AS p (role_id, permission)),
            used AS (
                SELECT pu.member_id, p.role_id, max(pu.last_on) AS last_on
                  FROM permission_uses pu JOIN permits p ON p.permission = pu.permission
                 WHERE pu.company_id = \(company) GROUP BY pu.member_id, p.role_id)
            INSERT INTO access_review_items (company_id, id, review_id, member_id, kind, role_id, role_name, granted_by,
                                             granted_at, last_used_on)
            SELECT mr.company_id, gen_random_uuid(), \(review)::uuid, mr.member_id, 'role', mr.role_id, r.name,
                   mr.granted_by, mr.granted_at, used.last_on
              FROM member_roles mr
              JOIN memberships m ON m.company_id = mr.company_id AND m.id = mr.member_id AND m.status <> 'removed'
              JOIN roles r ON r.company_id = mr.company_id AND r.id = mr.role_id
              LEFT JOIN used ON used.member_id = mr.member_id AND used.role_id = mr.role_id
             WHERE mr.company_id = \(company)
            """
    }
}
