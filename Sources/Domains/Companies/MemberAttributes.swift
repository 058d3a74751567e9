import API
import Core
import Postgres
import Wire

/// What a company keeps about its people beside name and title. From the first definition on, `attributes` of a member
/// takes what is defined and nothing else; a company without definitions keeps free values.
enum MemberAttributes {
    @RouteList static var routes: [Route] {
        GET("/v1/member-attributes", "List the attributes members have", .can(.membersRead), list)
        POST("/v1/member-attributes", "Define an attribute of members", .can(.membersWrite), create)
            .describe("Values that members have under the key already must be of its kind.")
            .problems(.attributeKeyTaken, .attributeNameTaken, .tooManyAttributes, .attributeValuesDoNotFit)
            .example(body: [
                "key": "office", "name": "Office", "kind": "choice", "options": ["Berlin", "Lisbon"],
            ])
        GET("/v1/member-attributes/{id}", "Read an attribute of members", .can(.membersRead), read)
        PATCH("/v1/member-attributes/{id}", "Change an attribute of members", .can(.membersWrite), change)
            .describe("Its key and its kind stay.").problems(.attributeNameTaken, .attributeValuesDoNotFit)
            .example(body: ["options": ["Berlin", "Lisbon", "Oslo"]])
        DELETE("/v1/member-attributes/{id}", "Delete an attribute of members", .can(.membersWrite), delete)
            .describe("Takes its values from every member.")
    }

    struct Filter: ListFilter {
        let kind: [Text<20>]?

        static let sorts = ["name", "-created_at"]
        static let search = ["name", "key"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<MemberAttribute> {
        try await call.page(list, select(call.company))
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<MemberAttribute> {
        try Single(await call.db.query("\(fragment: select(call.company)) AND a.id = \(id)"))
    }

    static func create(_ call: Call, _ body: Body<NewMemberAttribute>) async throws -> Created<
        MemberAttribute
    > {
        let company = try call.company
        let id = UUID.v7()
        let (key, kind, options) = (body.key.text, body.kind, try options(body.options, of: body.kind))
        let limit = RowLimit(
            CompanyLimits.attributesMax,
            "SELECT count(*) FROM member_attributes WHERE company_id = \(company)",
            else: .tooManyAttributes)
        let record = Audit.sql(
            Audit.Entry(
                "member_attribute.created", on: "member_attribute", id,
                after: ["key": .string(key), "kind": .string(kind.rawValue)]),
            by: call.actor, company: company)
        let rows = try await call.create(under: limit, also: [record]) { isBelow in
            """
            INSERT INTO member_attributes AS a (company_id, id, key, name, description, kind, options)
            SELECT \(company), \(id), \(key), \(body.name), \(body.value.description), \(kind), \(options)
             WHERE \(fragment: isBelow) AND \(fragment: allFit(kind, options, key, company))
            RETURNING \(fragment: columns)
            """
        }
        return try Created(rows)
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<MemberAttributeChange>) async throws
        -> Single<
            MemberAttribute
        >
    {
        let company = try call.company
        try await call.db.transaction { tx in
            let before = try await tx.query(
                "SELECT key, name, kind, options, version FROM member_attributes WHERE company_id = \(company) AND id = \(id) FOR UPDATE"
            )
            guard let row = before.first else { throw Problem.notFound }
            try call.requireVersion(row.get("version"))
            let rule = try AttributeRule(row)
            var changes = Changes()
            changes.set("name", body.name)
            changes.set("description", body.value.description)
            var condition: SQL = "TRUE"
            if let wanted = body.options {
                let options = try options(wanted, of: rule.kind)
                changes.set("options", options)
                condition = allFit(rule.kind, options, rule.key, company)
            }
            _ = try await tx.batch([
                """
                UPDATE member_attributes SET \(fragment: changes.sql)
                 WHERE company_id = \(company) AND id = \(id) AND \(fragment: condition)
                """,
                Audit.sql(
                    Audit.Entry(
                        "member_attribute.changed", on: "member_attribute", id.value,
                        before: ["name": .string(row.get("name"))], after: try JSON(encoding: body.value)),
                    by: call.actor, company: company),
            ])
        }
        return try await read(call, id)
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let company = try call.company
        try await call.db.transaction { tx in
            let rows = try await tx.query(
                "DELETE FROM member_attributes WHERE company_id = \(company) AND id = \(id) RETURNING key")
            guard let key = try rows.first?.get("key", as: String.self) else { throw Problem.notFound }
            _ = try await tx.batch([
                """
                UPDATE memberships SET attributes = attributes - \(key)::text, version = version + 1, updated_at = now()
                 WHERE company_id = \(company) AND attributes ? \(key)::text
                """,
                Audit.sql(
                    Audit.Entry(
                        "member_attribute.deleted", on: "member_attribute", id.value,
                        before: ["key": .string(key)]),
                    by: call.actor, company: company),
            ])
        }
        return NoContent()
    }

    /// Refuses the statement while some member has a value that is none of the kind, or no option any more.
    private static func allFit(_ kind: AttributeKind, _ options: [String], _ key: String, _ company: UUID)
        -> SQL
    {
        .unless(
            """
            EXISTS (SELECT 1 FROM memberships m
                     WHERE m.company_id = \(company)::uuid AND m.attributes ? \(key)::text
                       AND \(fragment: AttributeRule.misfit(kind, options, key: key, in: "m.attributes")))
            """, .attributeValuesDoNotFit)
    }

    private static func options(_ wanted: UpTo<100, Text<60>>?, of kind: AttributeKind) throws(Problem)
        -> [String]
    {
        let options = wanted?.items.map(\.text) ?? []
        guard (kind == .choice) != options.isEmpty else {
            throw .unprocessable("/options", "one-of", "are for the kind choice, which needs some")
        }
        guard Set(options).count == options.count else {
            throw .unprocessable("/options", "repeated", "may name each option once")
        }
        return options
    }

    private static let columns: SQL = """
        a.id, a.key, a.name, a.description, a.kind, a.options, a.version, a.created_at, a.updated_at
        """

    private static func select(_ company: UUID) -> SQL {
        "SELECT \(fragment: columns) FROM member_attributes a WHERE a.company_id = \(company)"
    }
}

extension MemberAttributes {
    /// The member's values with a merge patch laid over them, each change held against its definition.
    static func merged(
        _ present: JSON, with change: [String: JSON], _ company: UUID, in tx: Transaction
    ) async throws -> JSONText {
        let rows = try await tx.query(AttributeRule.all(of: company))
        let rules = try rows.map(AttributeRule.init)
        let faults = rules.isEmpty ? [] : faults(in: change, rules)
        if !faults.isEmpty { throw Problem.unprocessable(faults) }
        var object = present.objectValue ?? JSON.Object()
        for (key, value) in change.sorted(by: { $0.key < $1.key }) {
            object[key] = value.isNull ? JSON?.none : value
        }
        let text = JSON.object(object).description
        guard text.utf8.count <= CompanyLimits.attributesBytesMax else {
            throw Problem.unprocessable(
                "/attributes", "too-long", "may have \(CompanyLimits.attributesBytesMax) bytes in all")
        }
        return JSONText(text)
    }

    /// Taking a value away is always allowed, also one from before the first definition.
    private static func faults(in change: [String: JSON], _ rules: [AttributeRule]) -> [Fault] {
        change.sorted { $0.key < $1.key }.compactMap { key, value in
            if value.isNull { return nil }
            guard let rule = rules.first(where: { $0.key == key }) else {
                let near = NearMiss.hint(key, among: rules.map(\.key))
                return .at(
                    "/attributes/\(key)", "unknown-attribute", "is none of GET /v1/member-attributes\(near)")
            }
            return rule.fault(in: value).map { .at("/attributes/\(key)", "wrong-kind", $0) }
        }
    }

    /// `key:value` pairs of a filter; a member must have them all.
    static func condition(_ pairs: [String]) throws(Problem) -> SQL {
        var sql: SQL = ""
        for pair in pairs {
            guard let colon = pair.firstIndex(of: ":"), colon > pair.startIndex else {
                throw .unprocessable([.parameter("attribute", "invalid", "must read key:value")])
            }
            let (key, value) = (String(pair[..<colon]), String(pair[pair.index(after: colon)...]))
            sql += " AND m.attributes ->> \(key)::text = \(value)"
        }
        return sql
    }
}
