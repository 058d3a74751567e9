import API
import Core
import Postgres
import Wire

/// The values of a field, in the table of the things that have them.
enum FieldValues {
    /// The things of the field's scope, as a condition on their table.
    private static func place(_ home: CustomFieldHome, _ scope: UUID?, _ company: UUID) -> SQL {
        guard let scope, let column = home.scopeColumn else { return "company_id = \(company)" }
        return "company_id = \(company) AND \(unescaped: column) = \(scope)"
    }

    /// Whether something has one of these options.
    @inline(never)
    static func holdAny(
        of options: [String], _ field: Field, _ company: UUID, _ call: Call, _ tx: Transaction
    ) async throws -> Bool {
        guard let home = WorkspaceKinds.subject(field.kind, call)?.fields else { return false }
        let any = options.map { option -> SQL in
            let value: JSON = [field.key: field.type == .multiSelect ? [.string(option)] : .string(option)]
            return "\(unescaped: home.column) @> \(JSONText(value))::jsonb"
        }
        let rows = try await tx.query(
            """
            SELECT 1 FROM \(unescaped: home.table)
             WHERE \(fragment: place(home, field.scopeId, company)) AND (\(fragment: any.joined(separator: " OR "))) LIMIT 1
            """)
        return !rows.isEmpty
    }

    /// Takes the value off the next things behind `mark`; gives the last of them, nil when there were none.
    @inline(never)
    static func strip(
        _ key: String, _ home: CustomFieldHome, scope: UUID?, behind mark: UUID, _ company: UUID,
        _ tx: Transaction
    ) async throws -> UUID? {
        let column = home.column
        // Along the primary key, once over all of them: looking for the key alone would begin anew each time.
        let rows = try await tx.query(
            """
            SELECT id FROM \(unescaped: home.table)
             WHERE \(fragment: place(home, scope, company)) AND id > \(mark) ORDER BY id LIMIT \(FieldCleaning.rowsAtOnce)
            """)
        guard !rows.isEmpty else { return nil }
        let last: UUID = try rows[rows.count - 1].get("id")
        // The version goes up, for the thing is no longer what its ETag says.
        _ = try await tx.query(
            """
            UPDATE \(unescaped: home.table) SET \(unescaped: column) = \(unescaped: column) - \(key)::text, version = version + 1
             WHERE \(fragment: place(home, scope, company)) AND id > \(mark) AND id <= \(last)
               AND \(unescaped: column) ? \(key)
            """)
        return last
    }
}

/// Takes the values of a deleted field off the things, some at a time, and then lets its key go.
enum FieldCleaning {
    struct Arguments: Codable, Sendable {
        let field: UUID
    }

    static let kind = JobKind<Arguments>("workspace.clean-custom-field", queue: "workspace")
    /// Short enough that nobody who edits such a thing waits.
    static let rowsAtOnce = 2_000

    /// Until every instance has heard that the field is gone.
    static let pause = Duration.seconds(2)

    static let handler = JobHandler(kind) { arguments, job in
        guard let company = job.company else { throw JobFailure.permanent("a field belongs to a company") }
        var mark: UUID? = .zero
        while let behind = mark {
            mark = try await round(arguments.field, behind, company, job)
            if job.isStopping { return .again(at: .now) }
        }
        return .done
    }

    /// The last thing it has looked at; nil when the field is gone for good.
    @inline(never)
    private static func round(_ field: UUID, _ mark: UUID, _ company: UUID, _ job: Job) async throws -> UUID?
    {
        let parts = job.work.environment[WorkspaceParts.self]
        return try await job.work.database.transaction(as: Tenant(company: company, user: nil)) { tx in
            try await clean(field, behind: mark, company, parts, tx)
        }
    }

    @inline(never)
    private static func clean(
        _ field: UUID, behind mark: UUID, _ company: UUID, _ parts: WorkspaceParts, _ tx: Transaction
    ) async throws -> UUID? {
        let rows = try await tx.query(
            "SELECT kind, key, scope_id FROM custom_fields WHERE company_id = \(company) AND id = \(field)")
        guard let row = rows.first else { return nil }
        if let home = parts.subject(try row.get("kind"))?.fields {
            let last = try await FieldValues.strip(
                row.get("key"), home, scope: row.get("scope_id"), behind: mark, company, tx)
            if let last { return last }
        }
        _ = try await tx.query("DELETE FROM custom_fields WHERE company_id = \(company) AND id = \(field)")
        return nil
    }
}
