import Postgres
import Wire

extension Transaction {
    /// From here on the transaction sees the rows of another company, or of none: for acts that touch more than one.
    public func become(_ company: UUID?) async throws { _ = try await query(Self.become(company)) }

    /// The same as one statement, to send along with others.
    public static func become(_ company: UUID?) -> SQL {
        "SELECT set_config('app.company_id', \(company?.description ?? ""), true)"
    }
}
