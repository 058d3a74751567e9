import API
import Core
import Postgres
import Wire

/// Orders as a request gives them: with the record of who gave them, and the refusal when nothing can be done.
extension JobOrders {
    static func retry(_ id: UUID, company: UUID?, _ call: Call) async throws {
        try await call.db.transaction { tx in
            var rows = try await tx.query(revive(.init(company: company, ids: [id])))
            if rows.isEmpty { rows = try await tx.query(hasten(id, company: company)) }
            guard let row = rows.first else {
                let refused = try await refusal(id, company, .jobNotRetryable, tx)
                throw refused
            }
            try await record("job.retried", id, row, call, tx)
        }
    }

    static func cancel(_ id: UUID, company: UUID?, _ call: Call) async throws {
        try await call.db.transaction { tx in
            let rows = try await tx.query(cancel(.init(company: company, ids: [id])))
            if let row = rows.first { return try await record("job.cancelled", id, row, call, tx) }
            // Asking twice while it still runs is no mistake.
            let asked = try await tx.query(
                "SELECT 1 FROM jobs WHERE id = \(id) AND (\(company)::uuid IS NULL OR company_id = \(company))"
            )
            if asked.isEmpty {
                let refused = try await refusal(id, company, .jobFinished, tx)
                throw refused
            }
        }
    }

    /// Runs an order about many; one line in the log of each company it touched.
    static func run(_ order: SQL, _ action: String, _ call: Call) async throws -> JobsChanged {
        try await call.db.transaction { tx in
            let rows = try await tx.query(order)
            var counts: [UUID: Int] = [:]
            // What belongs to no company is the installation's.
            for row in rows {
                counts[try row.get("company_id", as: UUID?.self) ?? Audit.installation, default: 0] += 1
            }
            for (company, count) in counts {
                let entry = Audit.Entry(action, on: "job", nil, after: ["jobs": .number(.init(count))])
                try await inLog(of: company, call, tx) {
                    try await Audit.record(entry, by: call.actor, company: company, in: tx)
                }
            }
            return JobsChanged(changed: rows.count, hasMore: rows.count == changedAtOnce)
        }
    }

    private static func record(_ action: String, _ id: UUID, _ row: Row, _ call: Call, _ tx: Transaction)
        async throws
    {
        let company = try row.get("company_id", as: UUID?.self) ?? Audit.installation
        let entry = Audit.Entry(action, on: "job", id)
        try await inLog(of: company, call, tx) {
            try await Audit.record(entry, by: call.actor, company: company, in: tx)
        }
    }

    /// An operator's order concerns other companies than his own, whose log is theirs to write in.
    private static func inLog(
        of company: UUID, _ call: Call, _ tx: Transaction, _ write: () async throws -> Void
    ) async throws {
        let own = call.principal?.companyId
        if company != own { try await tx.become(company) }
        try await write()
        if company != own { try await tx.become(own) }
    }

    private static func refusal(
        _ id: UUID, _ company: UUID?, _ code: ProblemCode, _ tx: Transaction
    ) async throws -> Problem {
        let rows = try await tx.query(
            """
            SELECT state FROM \(fragment: JobRows.all)
             WHERE id = \(id) AND (\(company)::uuid IS NULL OR company_id = \(company))
            """)
        return rows.isEmpty ? .notFound : Problem(code)
    }
}
