import API
import Core
import Postgres
import Wire

/// Lists as people like to see them, for themselves or for all.
enum ViewRoutes {
    @RouteList static var routes: [Route] {
        GET("/v1/saved-views", "List saved views", .member, list)
            .describe("One's own and those that are shared, of the kinds one may see.")
        POST("/v1/saved-views", "Save a view", .member, create).problems(.tooManyViews)
            .describe("Sharing it takes saved-views:share.").example(body: example)
        GET("/v1/saved-views/{id}", "Read a saved view", .member, read)
        PATCH("/v1/saved-views/{id}", "Change a saved view", .member, change)
            .describe("A shared view of another's takes saved-views:manage.")
        DELETE("/v1/saved-views/{id}", "Delete a saved view", .member, delete)
        PUT("/v1/saved-views/{id}/favourite", "Keep a view at hand", .member, favour).ifMatch(.ignored)
        DELETE("/v1/saved-views/{id}/favourite", "Keep a view at hand no more", .member, unfavour)
        PUT("/v1/saved-views/{id}/default", "Open the list with this view", .member, prefer).ifMatch(.ignored)
        DELETE("/v1/saved-views/{id}/default", "Open the list without a view", .member, unprefer)
    }

    private static let example: JSON = [
        "kind": "task", "scope_id": nil, "name": "Mine this week", "is_shared": false, "layout": "board",
        "filter": ["priority": ["high", "urgent"]], "sort": "-created_at", "group_by": nil,
        "columns": ["title", "due_on"],
    ]

    struct Filter: ListFilter {
        let kind: Text<60>?
        let scopeId: UUID?
        let isShared: Bool?
        let isFavourite: Bool?
        let isDefault: Bool?

        static let sorts = ["position", "name", "-created_at"]
        static let search = ["name"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<SavedView> {
        try await call.page(list, select(call))
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<SavedView> {
        try Single(await rows(id.value, call))
    }

    static func create(_ call: Call, _ body: Body<NewView>) async throws -> Created<SavedView> {
        let (company, member) = (try call.company, try call.member)
        let isShared = body.isShared ?? false
        if isShared { try call.require(.viewsShare) }
        let filter = body.filter ?? [:]
        let subject = try await subject(body.kind.text, scope: body.scopeId, call)
        try check(
            filter, body.sort?.text, body.groupBy?.text, body.columns?.items.map(\.text) ?? [],
            against: subject)
        let id = UUID.v7()
        let limit = RowLimit(
            WorkspaceNumbers.viewsMax,
            "SELECT count(*) FROM saved_views WHERE company_id = \(company) AND member_id = \(member)",
            else: .tooManyViews)
        let record = Audit.sql(
            .init("saved_view.created", on: "saved_view", id, after: ["name": .string(body.name.text)]),
            by: call.actor,
            company: company)
        let event = try ViewEvents.sql(
            ViewEvents.created, id, body.kind.text, isShared, by: call.actor, company)
        _ = try await call.create(under: limit, also: [record, event]) { isBelow in
            """
            INSERT INTO saved_views (company_id, id, kind, scope_id, name, member_id, is_shared, layout, filter, sort,
                                     group_by, columns, position)
            SELECT \(company), \(id), \(body.kind), \(body.scopeId), \(body.name), \(member), \(isShared),
                   \(body.layout ?? .list), \(JSONText(filter)), \(body.value.sort), \(body.groupBy),
                   \(body.columns?.items.map(\.text) ?? []),
                   (SELECT coalesce(max(position), 0) + 1 FROM saved_views WHERE company_id = \(company) AND kind = \(body.kind))
             WHERE \(fragment: isBelow)
            """
        }
        return try Created(await rows(id, call))
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<ViewChange>) async throws -> Single<
        SavedView
    > {
        try await call.db.transaction { tx in try await write(body.value, to: id.value, call, tx) }
        return try Single(await rows(id.value, call))
    }

    @inline(never)
    private static func write(_ change: ViewChange, to id: UUID, _ call: Call, _ tx: Transaction) async throws
    {
        let company = try call.company
        let old = try await mine(id, call, tx)
        try call.requireVersion(Int64(old.version))
        if change.isShared == true, !old.isShared { try call.require(.viewsShare) }
        let subject = try await subject(old.kind, scope: old.scopeId, call)
        try check(
            change.filter ?? old.filter, change.sort.map { $0?.text } ?? old.sort,
            change.groupBy.map { $0?.text } ?? old.groupBy, change.columns?.items.map(\.text) ?? old.columns,
            against: subject)
        var changes = Changes()
        changes.set("name", change.name)
        changes.set("is_shared", change.isShared)
        changes.set("layout", change.layout)
        if let filter = change.filter { changes.set("filter", JSONText(filter)) }
        changes.set("sort", change.sort)
        changes.set("group_by", change.groupBy)
        changes.set("columns", change.columns?.items.map(\.text))
        changes.set("position", change.position?.value)
        _ = try await tx.batch([
            "UPDATE saved_views SET \(fragment: changes.sql) WHERE company_id = \(company) AND id = \(id)",
            Audit.sql(
                .init(
                    "saved_view.changed", on: "saved_view", id, before: ["name": .string(old.name)],
                    after: JSON(encoding: change)),
                by: call.actor, company: company),
            ViewEvents.sql(
                ViewEvents.updated, id, old.kind, change.isShared ?? old.isShared, by: call.actor, company),
        ])
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let company = try call.company
        try await call.db.transaction { tx in
            let old = try await mine(id.value, call, tx)
            _ = try await tx.batch([
                "DELETE FROM saved_views WHERE company_id = \(company) AND id = \(id)",
                Audit.sql(
                    .init(
                        "saved_view.deleted", on: "saved_view", id.value, before: ["name": .string(old.name)]),
                    by: call.actor, company: company),
                ViewEvents.sql(ViewEvents.deleted, id.value, old.kind, old.isShared, by: call.actor, company),
            ])
        }
        return NoContent()
    }

    static func favour(_ call: Call, _ id: Path<UUID>) async throws -> Single<SavedView> {
        try await choose("is_favourite", true, id.value, call)
        return try Single(await rows(id.value, call))
    }

    static func unfavour(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        try await choose("is_favourite", false, id.value, call)
        return NoContent()
    }

    static func prefer(_ call: Call, _ id: Path<UUID>) async throws -> Single<SavedView> {
        try await choose("is_default", true, id.value, call)
        return try Single(await rows(id.value, call))
    }

    static func unprefer(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        try await choose("is_default", false, id.value, call)
        return NoContent()
    }

    private static func choose(_ column: String, _ value: Bool, _ id: UUID, _ call: Call) async throws {
        let (company, member) = (try call.company, try call.member)
        let rows = try await rows(id, call)
        guard let row = rows.first else { throw Problem.notFound }
        let (kind, scope) = (try row.get("kind", as: String.self), try row.get("scope_id", as: UUID?.self))
        // FOR KEY SHARE: a view that is deleted in this moment is chosen by nobody.
        var statements: [SQL] = [
            """
            INSERT INTO saved_view_choices (company_id, member_id, view_id, \(unescaped: column))
            SELECT company_id, \(member), id, \(value) FROM saved_views WHERE company_id = \(company) AND id = \(id)
               FOR KEY SHARE
            ON CONFLICT (company_id, member_id, view_id) DO UPDATE SET \(unescaped: column) = \(value)
            """
        ]
        if column == "is_default", value {
            // A list opens with one view alone.
            statements.insert(
                """
                UPDATE saved_view_choices c SET is_default = false
                  FROM saved_views v
                 WHERE c.company_id = \(company) AND c.member_id = \(member) AND c.view_id <> \(id) AND c.is_default
                   AND v.company_id = c.company_id AND v.id = c.view_id AND v.kind = \(kind)
                   AND v.scope_id IS NOT DISTINCT FROM \(scope)::uuid
                """, at: 0)
        }
        _ = try await call.db.write(statements)
    }

    /// The view, locked, when the caller may change it.
    @inline(never)
    private static func mine(_ id: UUID, _ call: Call, _ tx: Transaction) async throws -> SavedView {
        let rows = try await tx.query("\(fragment: select(call)) AND v.id = \(id) FOR UPDATE OF v")
        guard let row = rows.first else { throw Problem.notFound }
        let view = try row.decode(SavedView.self)
        if view.memberId != (try call.member) { try call.require(.viewsManage) }
        return view
    }

    /// The kind, when there are views of it and the caller may see the scope.
    @inline(never)
    private static func subject(_ kind: String, scope: UUID?, _ call: Call) async throws -> Subject {
        let all = call.environment[WorkspaceParts.self].subjects.filter {
            $0.view != nil && call.can($0.permission)
        }
        guard let subject = all.first(where: { $0.kind == kind }) else {
            let names = all.map(\.kind).joined(separator: ", ")
            throw Problem.unprocessable(
                "/kind", "not-one-of", names.isEmpty ? "there are no views" : "must be one of: \(names)")
        }
        if let scope {
            guard let home = subject.fields, home.scopeColumn != nil else {
                throw Problem.unprocessable("/scope_id", "not-allowed", "views of this kind have no scope")
            }
            try await home.check(scope, false, call)
        }
        return subject
    }

    private static func check(
        _ filter: JSON, _ sort: String?, _ group: String?, _ columns: [String], against subject: Subject
    ) throws(Problem) {
        guard let shape = subject.view else { return }
        var faults = shape.faults(filter, sort)
        if filter.description.utf8.count > WorkspaceNumbers.filterBytesMax {
            faults.append(.at("/filter", "too-long", "may have \(WorkspaceNumbers.filterBytesMax) bytes"))
        }
        if let group, !shape.groups.contains(group) {
            faults.append(
                .at("/group_by", "not-one-of", "must be one of: \(shape.groups.joined(separator: ", "))"))
        }
        for (index, column) in columns.enumerated() where !isColumn(column, of: shape) {
            faults.append(
                .at(
                    "/columns/\(index)", "not-one-of",
                    "must be one of: \(shape.columns.joined(separator: ", "))"))
        }
        if !faults.isEmpty { throw .unprocessable(faults) }
    }

    /// Custom fields are columns too, as `custom.size`; one that goes is passed over where the view is shown.
    private static func isColumn(_ column: String, of shape: ViewShape) -> Bool {
        shape.columns.contains(column)
            || column.hasPrefix("custom.") && FieldKey(String(column.dropFirst(7))) != nil
    }

    /// A view of that kind which the caller may use; else 422.
    @inline(never)
    static func saved(_ id: UUID, _ kind: String, _ call: Call) async throws -> (filter: JSON, sort: String?)
    {
        let rows = try await rows(id, call)
        let view = try rows.first?.decode(SavedView.self)
        guard let view, view.kind == kind else {
            throw Problem.unprocessable("/saved_view_id", "unknown-view", "is no saved view of this kind")
        }
        return (view.filter, view.sort)
    }

    private static func rows(_ id: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query("\(fragment: select(call)) AND v.id = \(id)")
    }

    private static func select(_ call: Call) throws -> SQL {
        let (company, member) = (try call.company, try call.member)
        let kinds = call.environment[WorkspaceParts.self].subjects.filter { call.can($0.permission) }.map(
            \.kind)
        return """
            SELECT v.id, v.kind, v.scope_id, v.name, v.member_id, v.is_shared, v.layout, v.filter, v.sort, v.group_by,
                   v.columns, v.position, coalesce(c.is_favourite, false) AS is_favourite,
                   coalesce(c.is_default, false) AS is_default, v.version, v.created_at, v.updated_at
              FROM saved_views v
              LEFT JOIN saved_view_choices c
                ON c.company_id = v.company_id AND c.view_id = v.id AND c.member_id = \(member)
             WHERE v.company_id = \(company) AND v.kind = ANY(\(kinds)) AND (v.is_shared OR v.member_id = \(member))
            """
    }
}
