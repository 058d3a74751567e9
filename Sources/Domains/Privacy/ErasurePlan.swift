import Core
import Postgres
import Wire

/// The steps of an erasure: every table that may hold something, in every company the person is or was in.
struct ErasurePlan {
    struct Step: Sendable {
        let table: TableCatalogue.Table
        let company: UUID?
        let action: PlannedStep.Action
        let reason: String?
        let condition: SQL
    }

    let subject: PersonalData.Subject
    let steps: [Step]

    private static let holdReason = "The company must keep its data for now: a legal hold."

    /// - Parameter subject: within its `company`, or everywhere.
    static func make(of subject: PersonalData.Subject, _ declarations: Declarations, _ db: Database)
        async throws
        -> ErasurePlan
    {
        let catalogue = try await TableCatalogue.load(declarations.personal, db)
        let companies = try await companies(of: subject, db)
        let held = try await held(companies, db)
        var steps: [Step] = []
        for table in catalogue.tables {
            guard let rows = table.declaration.rows(of: subject) else { continue }
            if table.isTenants {
                for company in companies {
                    steps.append(
                        step(
                            table, company, "t.company_id = \(company) AND \(fragment: rows)",
                            held.contains(company)))
                }
            } else if let company = subject.company {
                // What belongs to no company is the person's own, and not this company's to take.
                guard table.hasCompany else { continue }
                steps.append(
                    step(
                        table, nil, "t.company_id = \(company) AND \(fragment: rows)", held.contains(company))
                )
            } else {
                steps.append(step(table, nil, rows, false))
            }
        }
        return ErasurePlan(subject: subject, steps: steps)
    }

    private static func step(
        _ table: TableCatalogue.Table, _ company: UUID?, _ condition: SQL, _ isHeld: Bool
    ) -> Step {
        if isHeld {
            return Step(
                table: table, company: company, action: .keep, reason: holdReason, condition: condition)
        }
        switch table.declaration.erasure {
        case .delete:
            return Step(table: table, company: company, action: .delete, reason: nil, condition: condition)
        case .blank:
            return Step(table: table, company: company, action: .blank, reason: nil, condition: condition)
        case .keep(let why):
            return Step(table: table, company: company, action: .keep, reason: why, condition: condition)
        }
    }

    /// The companies the person is or was in, or the one that asks.
    static func companies(of subject: PersonalData.Subject, _ db: Database) async throws -> [UUID] {
        if let company = subject.company { return [company] }
        guard let user = subject.user else { return [] }
        let rows = try await db.query(
            "SELECT company_id FROM memberships WHERE user_id = \(user) ORDER BY company_id",
            as: Tenant(user: user))
        return try rows.map { try $0.get("company_id", as: UUID.self) }
    }

    private static func held(_ companies: [UUID], _ db: Database) async throws -> Set<UUID> {
        var held: Set<UUID> = []
        for company in companies where try await LegalHolds.isHeld(company, db) { held.insert(company) }
        return held
    }

    /// How many rows each step would meet now, as the transaction sees them. The transaction is of no company's
    /// afterwards.
    func counts(in tx: Transaction) async throws -> [Int64] {
        let answers = try await tx.batch(
            steps.flatMap { [Transaction.become($0.company), $0.count] } + [Transaction.become(nil)])
        return try steps.indices.map { try answers[$0 * 2 + 1][0].get("rows") }
    }

    /// What each step would meet now.
    func counted(_ db: Database) async throws -> [PlannedStep] {
        var planned: [PlannedStep] = []
        for step in steps {
            let rows = try await db.report(step.count, as: Tenant(company: step.company, user: subject.user))
            let count = try rows[0].get("rows", as: Int64.self)
            if count == 0 { continue }
            planned.append(
                PlannedStep(
                    table: step.table.declaration.table, companyId: step.company,
                    what: step.table.declaration.what,
                    action: step.action, reason: step.reason, rows: count))
        }
        return planned
    }
}

extension ErasurePlan.Step {
    /// Does it, and tells by its `rows` how many it met.
    var statement: SQL {
        let table: SQL = "\(unescaped: self.table.declaration.table) t"
        switch (action, self.table.declaration.erasure) {
        case (.delete, _):
            return
                "WITH gone AS (DELETE FROM \(fragment: table) WHERE \(fragment: condition) RETURNING 1) SELECT count(*) AS rows FROM gone"
        case (.blank, .blank(let list)):
            return """
                WITH changed AS (
                    UPDATE \(fragment: table) SET \(fragment: list) WHERE \(fragment: condition) RETURNING 1)
                SELECT count(*) AS rows FROM changed
                """
        case (.keep, _), (.blank, _):
            return count
        }
    }

    /// How many rows it meets.
    var count: SQL {
        "SELECT count(*) AS rows FROM \(unescaped: self.table.declaration.table) t WHERE \(fragment: condition)"
    }
}
