import API
import Core
import Postgres
import Wire

/// What a company sets up for its leads, each kind in a table of its own: changed, deleted and recorded alike.
struct LeadSetUp: Sendable {
    let table: String
    /// As the record of acts calls it.
    let kind: String

    static let sources = LeadSetUp(table: "lead_sources", kind: "lead_source")
    static let assignmentRules = LeadSetUp(table: "assignment_rules", kind: "assignment_rule")
    static let forms = LeadSetUp(table: "forms", kind: "form")
    static let policies = LeadSetUp(table: "sla_policies", kind: "sla_policy")
    static let scoringModels = LeadSetUp(table: "scoring_models", kind: "scoring_model")

    /// The row, locked, in the version the caller has seen; 404 when there is none.
    @inline(never)
    func locked(_ id: UUID, reading columns: SQL = "version", _ call: Call, _ tx: Transaction) async throws
        -> Row
    {
        let rows = try await tx.query(
            """
            SELECT \(fragment: columns) FROM \(unescaped: table)
             WHERE company_id = \(try call.company) AND id = \(id) FOR UPDATE
            """)
        guard let row = rows.first else { throw Problem.notFound }
        try call.requireVersion(row.get("version"))
        return row
    }

    @inline(never)
    func write(_ changes: Changes, to id: UUID, _ company: UUID, _ tx: Transaction) async throws {
        _ = try await tx.query(
            """
            UPDATE \(unescaped: table) SET \(fragment: changes.sql) WHERE company_id = \(company) AND id = \(id)
            """)
    }

    /// Gives what was said of it in these columns; 404 when there is none.
    @inline(never)
    func delete(_ id: UUID, returning columns: SQL = "id", as act: String, _ call: Call, _ tx: Transaction)
        async throws -> Row
    {
        let gone = try await tx.query(
            """
            DELETE FROM \(unescaped: table) WHERE company_id = \(try call.company) AND id = \(id)
            RETURNING \(fragment: columns)
            """)
        guard let row = gone.first else { throw Problem.notFound }
        try await record(act, id, nil, call, tx)
        return row
    }

    @inline(never)
    func record(_ act: String, _ id: UUID, _ after: JSON?, _ call: Call, _ tx: Transaction) async throws {
        let entry = Audit.Entry(act, on: kind, id, after: after)
        try await Audit.record(entry, by: call.actor, company: try call.company, in: tx)
    }
}
