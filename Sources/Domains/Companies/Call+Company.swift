import API
import Core
import Postgres
import Wire

extension Call {
    /// Runs a change of members or ownership: one transaction that holds the lock of the company's row.
    func underCompanyLock<Value: Sendable>(
        _ body: @Sendable @escaping (Transaction, Headcount.Locked) async throws -> Value
    ) async throws -> Value {
        let company = try company
        return try await db.transaction { tx in
            guard let locked = try await Headcount.lock(company, in: tx) else { throw Problem.notFound }
            return try await body(tx, locked)
        }
    }

    var links: Links { environment[Links.self] }
}
