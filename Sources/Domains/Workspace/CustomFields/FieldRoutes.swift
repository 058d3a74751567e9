import API
import Core
import Postgres
import Wire

/// The fields that the company gives to its things.
enum FieldRoutes {
    @RouteList static var routes: [Route] {
        GET("/v1/custom-fields", "List custom fields", .member, list).problems(.notFound)
            .describe(
                "Those that all things of a kind have or, with `scope_id`, those of one part of the company alone."
            )
        POST("/v1/custom-fields", "Create a custom field", .member, create)
            .describe(
                "Takes custom-fields:manage or, for a scope, the right to manage that scope. Things that are there already "
                    + "have no value of it, also where it is required or has a default."
            )
            .problems(.customFieldKeyTaken, .tooManyCustomFields)
            .example(body: example)
        PUT("/v1/custom-fields/order", "Put custom fields in order", .member, order).operation(
            "orderCustomFields"
        )
        .describe("Those that are not named come behind, as they were.")
        GET("/v1/custom-fields/{id}", "Read a custom field", .member, read)
        PATCH("/v1/custom-fields/{id}", "Change a custom field", .member, change).problems(
            .customFieldOptionInUse
        )
        .describe(
            "Type and key never change. An archived field keeps its values, and none can be set: prefer it to deleting."
        )
        DELETE("/v1/custom-fields/{id}", "Delete a custom field with its values", .member, delete)
            .describe("It is gone at once; its values are taken off the things in the background.")
    }

    private static let example: JSON = [
        "kind": "task", "scope_id": nil, "key": "channel", "name": "Channel", "description": nil,
        "type": "select",
        "is_required": false,
        "options": [
            ["key": "print", "name": "Print", "color": "#2f6fed", "is_archived": false],
            ["key": "social", "name": "Social", "color": nil, "is_archived": false],
        ],
        "default_value": "social", "currency": nil,
    ]

    struct Filter: ListFilter {
        let kind: [Text<60>]?
        let scopeId: UUID?
        let isArchived: Bool?
        let type: [CustomFieldType]?

        static let sorts = ["position", "name", "-created_at"]
        static let search = ["name", "key"]
        static let ownFields: Set<String> = ["scope_id"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Field> {
        let company = try call.company
        var kinds = subjects(call).filter { call.can($0.permission) }.map(\.kind)
        if let scope = list.scopeId {
            kinds = try await self.kinds(kinds, with: scope, call)
        }
        return try await call.page(
            list,
            """
            SELECT \(fragment: columns) FROM custom_fields f
             WHERE f.company_id = \(company) AND f.deleted_at IS NULL AND f.kind = ANY(\(kinds))
               AND f.scope_id IS NOT DISTINCT FROM \(list.scopeId)::uuid
            """)
    }

    /// The kinds of which the scope is one that the caller may see; 404 when there are none.
    private static func kinds(_ kinds: [String], with scope: UUID, _ call: Call) async throws -> [String] {
        var found: [String] = []
        for kind in kinds {
            guard let home = WorkspaceKinds.subject(kind, call)?.fields, home.scopeColumn != nil else {
                continue
            }
            do { try await home.check(scope, false, call) } catch let problem as Problem
                where problem.status == 404
            { continue }
            found.append(kind)
        }
        let problem: Problem? = found.isEmpty ? .notFound : nil
        if let problem { throw problem }
        return found
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Field> {
        let rows = try await rows(id.value, call)
        try await mayReach(rows, change: false, call)
        return try Single(rows)
    }

    static func create(_ call: Call, _ body: Body<NewField>) async throws -> Created<Field> {
        let company = try call.company
        let (kind, scope) = (body.kind.text, body.scopeId)
        try await mayChange(kind, scope, call, at: "/kind")
        let id = UUID.v7()
        let field = try NewFieldCheck(body.value, id: id).field
        let insert = try insert(field, body.value, company)
        let record = Audit.sql(
            .init("custom_field.created", on: "custom_field", id, after: try JSON(encoding: body.value)),
            by: call.actor, company: company)
        let event = try FieldEvents.sql(FieldEvents.created, id, kind, field.key, by: call.actor, company)
        let news = call.environment[CacheNews.self]
        let rows: Rows = try await call.db.transaction { tx in
            try await write([insert, record, event], company, news, tx)
        }
        return try Created(rows)
    }

    @inline(never)
    private static func write(_ statements: [SQL], _ company: UUID, _ news: CacheNews, _ tx: Transaction)
        async throws -> Rows
    {
        // Two at once must not both find the key free in scopes of which no index knows.
        _ = try await tx.query(
            "SELECT pg_advisory_xact_lock(hashtextextended(\("custom_fields:\(company)"), 0))")
        let answers = try await tx.batch(statements)
        try await news.tell(CustomFields.topic, company: company, in: tx)
        return answers[0]
    }

    private static func insert(_ field: CustomField, _ new: NewField, _ company: UUID) throws -> SQL {
        let (kind, scope) = (new.kind.text, new.scopeId)
        let ofSame: SQL = """
            SELECT count(*) FROM custom_fields
             WHERE company_id = \(company) AND kind = \(kind) AND (scope_id IS NULL OR scope_id = \(scope)::uuid)
            """
        let isTaken: SQL = """
            EXISTS (SELECT 1 FROM custom_fields
                     WHERE company_id = \(company) AND kind = \(kind) AND key = \(field.key)
                       AND (scope_id IS NULL OR \(scope)::uuid IS NULL OR scope_id = \(scope)::uuid))
            """
        let options = JSONText(try JSON(encoding: field.options))
        let value = field.defaultValue == .null ? nil : JSONText(field.defaultValue)
        return """
            INSERT INTO custom_fields AS f (company_id, id, kind, scope_id, key, name, description, type, is_required,
                                            options, default_value, currency, position)
            SELECT \(company), \(field.id), \(kind), \(scope)::uuid, \(field.key), \(field.name), \(new.description),
                   \(field.type), \(field.isRequired), \(options)::jsonb, \(value)::jsonb, \(new.currency),
                   (SELECT coalesce(max(position), 0) + 1 FROM custom_fields
                     WHERE company_id = \(company) AND kind = \(kind))
             WHERE \(fragment: .unless(isTaken, .customFieldKeyTaken))
               AND \(fragment: .below(WorkspaceLimits.fieldsPerKindMax, ofSame, else: .tooManyCustomFields))
            RETURNING \(fragment: columns)
            """
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<FieldChange>) async throws -> Single<
        Field
    > {
        let company = try call.company
        let before = try await rows(id.value, call)
        try await mayReach(before, change: true, call)
        try await call.db.transaction { tx in
            try await write(body.value, to: id.value, company, call, tx)
            try await call.environment[CacheNews.self].tell(CustomFields.topic, company: company, in: tx)
        }
        return try Single(await rows(id.value, call))
    }

    @inline(never)
    private static func write(
        _ change: FieldChange, to id: UUID, _ company: UUID, _ call: Call, _ tx: Transaction
    ) async throws {
        let rows = try await tx.query(
            """
            SELECT \(fragment: columns) FROM custom_fields f
             WHERE f.company_id = \(company) AND f.id = \(id) AND f.deleted_at IS NULL FOR UPDATE
            """)
        guard let row = rows.first else { throw Problem.notFound }
        try call.requireVersion(row.get("version"))
        let old = try row.decode(Field.self)
        let checked = try FieldChangeCheck(change, of: old)
        if let gone = checked.optionsLeftOut, !gone.isEmpty {
            let isUsed = try await FieldValues.holdAny(of: gone, old, company, call, tx)
            if isUsed { throw Problem(.customFieldOptionInUse) }
        }
        var changes = Changes()
        changes.set("name", change.name)
        changes.set("description", change.description)
        changes.set("is_required", change.isRequired)
        if let options = checked.options {
            changes.set("options", to: "\(try JSONText(JSON(encoding: options)))::jsonb")
        }
        if let value = checked.defaultValue {
            changes.set("default_value", to: "\(value == .null ? nil : JSONText(value))::jsonb")
        }
        if let isArchived = change.isArchived {
            changes.set("archived_at", to: isArchived ? "coalesce(archived_at, now())" : "NULL")
        }
        _ = try await tx.batch([
            "UPDATE custom_fields SET \(fragment: changes.sql) WHERE company_id = \(company) AND id = \(id)",
            Audit.sql(
                .init(
                    "custom_field.changed", on: "custom_field", id, before: JSON(encoding: old),
                    after: JSON(encoding: change)),
                by: call.actor, company: company),
            try FieldEvents.sql(FieldEvents.updated, id, old.kind, old.key, by: call.actor, company),
        ])
    }

    static func order(_ call: Call, _ body: Body<FieldOrder>) async throws -> Page<Field> {
        let company = try call.company
        let (kind, scope) = (body.kind.text, body.scopeId)
        try await mayChange(kind, scope, call, at: "/kind")
        let rows: Rows = try await call.db.transaction { tx in
            let answers = try await tx.batch([
                """
                UPDATE custom_fields f SET position = placed.position, version = version + 1, updated_at = now()
                  FROM (SELECT o.id, row_number() OVER (ORDER BY named.place NULLS LAST, o.position, o.id) AS position
                          FROM custom_fields o
                          LEFT JOIN unnest(\(body.ids.items)::uuid[]) WITH ORDINALITY AS named (id, place) ON named.id = o.id
                         WHERE o.company_id = \(company) AND o.kind = \(kind)
                           AND o.scope_id IS NOT DISTINCT FROM \(scope)::uuid) placed
                 WHERE f.company_id = \(company) AND f.id = placed.id AND f.position <> placed.position
                """,
                Audit.sql(
                    .init(
                        "custom_field.ordered", on: "custom_field", nil,
                        after: [
                            "kind": .string(kind),
                            "ids": .array(body.ids.items.map { .string($0.description) }),
                        ]),
                    by: call.actor, company: company),
                """
                SELECT \(fragment: columns) FROM custom_fields f
                 WHERE f.company_id = \(company) AND f.kind = \(kind) AND f.deleted_at IS NULL
                   AND f.scope_id IS NOT DISTINCT FROM \(scope)::uuid ORDER BY f.position, f.id
                """,
            ])
            try await call.environment[CacheNews.self].tell(CustomFields.topic, company: company, in: tx)
            return answers[2]
        }
        return Page(all: rows)
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let company = try call.company
        let before = try await rows(id.value, call)
        try await mayReach(before, change: true, call)
        let field = try before[0].decode(Field.self)
        try await call.db.transaction { tx in
            let gone = try await tx.query(
                """
                UPDATE custom_fields SET deleted_at = now(), version = version + 1
                 WHERE company_id = \(company) AND id = \(id) AND deleted_at IS NULL
                """)
            if gone.affected == 0 { throw Problem.notFound }
            _ = try await tx.batch([
                Audit.sql(
                    .init(
                        "custom_field.deleted", on: "custom_field", id.value, before: JSON(encoding: field)),
                    by: call.actor, company: company),
                FieldEvents.sql(
                    FieldEvents.deleted, id.value, field.kind, field.key, by: call.actor, company),
            ])
            try await call.environment[CacheNews.self].tell(CustomFields.topic, company: company, in: tx)
            try await Jobs.enqueue(
                FieldCleaning.kind, .init(field: id.value), company: company, at: .now + FieldCleaning.pause,
                in: tx)
        }
        return NoContent()
    }

    private static func subjects(_ call: Call) -> [Subject] {
        call.environment[WorkspaceParts.self].subjects.filter { $0.fields != nil }
    }

    /// 422 for what has no fields, 403 or 404 for who may not say which there are.
    private static func mayChange(_ kind: String, _ scope: UUID?, _ call: Call, at pointer: String)
        async throws
    {
        guard let subject = subjects(call).first(where: { $0.kind == kind && call.can($0.permission) }),
            let home = subject.fields
        else {
            let names = subjects(call).map(\.kind).joined(separator: ", ")
            throw Problem.unprocessable(
                pointer, "not-one-of",
                names.isEmpty ? "nothing has custom fields" : "must be one of: \(names)")
        }
        guard let scope else { return try call.require(.customFieldsManage) }
        if home.scopeColumn == nil {
            throw Problem.unprocessable(
                "/scope_id", "not-allowed", "things of this kind have no fields of a scope")
        }
        try await home.check(scope, true, call)
    }

    private static func mayReach(_ rows: Rows, change: Bool, _ call: Call) async throws {
        guard let row = rows.first else { throw Problem.notFound }
        let (kind, scope) = (try row.get("kind", as: String.self), try row.get("scope_id", as: UUID?.self))
        guard let subject = subjects(call).first(where: { $0.kind == kind }), call.can(subject.permission)
        else {
            throw Problem.notFound
        }
        if let scope {
            try await subject.fields?.check(scope, change, call)
        } else if change {
            try call.require(.customFieldsManage)
        }
    }

    private static func rows(_ id: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query(
            """
            SELECT \(fragment: columns) FROM custom_fields f
             WHERE f.company_id = \(call.company) AND f.id = \(id) AND f.deleted_at IS NULL
            """)
    }

    private static let columns: SQL = """
        f.id, f.kind, f.scope_id, f.key, f.name, f.description, f.type, f.is_required, f.options,
        coalesce(f.default_value, 'null') AS default_value, f.currency, f.position, f.archived_at IS NOT NULL AS is_archived,
        f.version, f.created_at, f.updated_at
        """
}
