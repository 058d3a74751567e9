import API
import Core
import Postgres
import Wire

extension Call {
    /// Changes the company's own row if it still has the version that was asked for, and notes what became different.
    /// - Parameter select: reads the row as the caller shows it, `version` included.
    func changeCompany(
        _ company: UUID, _ changes: Changes, as action: String, reading select: SQL,
        also work: @Sendable (Transaction) async throws -> Void = { _ in }
    ) async throws -> Rows {
        try await db.transaction { tx in
            let before = try await tx.query("\(fragment: select) FOR UPDATE")
            guard let row = before.first else { throw Problem.notFound }
            try self.requireVersion(row.get("version"))
            try await work(tx)
            let old = try JSON(row: row)
            _ = try await tx.query("UPDATE companies SET \(fragment: changes.sql) WHERE id = \(company)")
            let after = try await tx.query(select)
            let difference = Audit.changed(old, try JSON(row: after[0]))
            try await Audit.record(
                Audit.Entry(
                    action, on: "company", company, before: difference.before, after: difference.after),
                by: self.actor, company: company, in: tx)
            let changed = difference.after.objectValue?.members.map(\.key).filter {
                $0 != "version" && $0 != "updated_at"
            }
            if let changed, !changed.isEmpty {
                try await Events.record(
                    CompanyEvents.companyUpdated, .init(companyId: company, changed: changed.sorted()),
                    on: "company",
                    company, by: self.actor, company: company, in: tx)
            }
            return after
        }
    }
}
