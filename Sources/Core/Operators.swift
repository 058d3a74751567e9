import Postgres
import Wire

/// Those who run the installation. The serving role cannot write the list: it takes the owner of the tables.
public enum Operators {
    public struct Operator: Sendable {
        public let email: String
        public let name: String
        public let since: Timestamp
    }

    /// False when nobody has that address. Naming one who is an operator already changes nothing.
    public static func add(_ email: String, _ owner: Database) async throws -> Bool {
        try await change(
            email, "operator.named",
            { user in
                "INSERT INTO operators (user_id) VALUES (\(user)) ON CONFLICT (user_id) DO NOTHING"
            }, owner)
    }

    public static func remove(_ email: String, _ owner: Database) async throws -> Bool {
        try await change(
            email, "operator.dismissed", { user in "DELETE FROM operators WHERE user_id = \(user)" }, owner)
    }

    public static func all(_ owner: Database) async throws -> [Operator] {
        let rows = try await owner.query(
            "SELECT u.email, u.name, o.since FROM operators o JOIN users u ON u.id = o.user_id ORDER BY o.since, u.email"
        )
        return try rows.map { Operator(email: try $0.get(0), name: try $0.get(1), since: try $0.get(2)) }
    }

    /// Every instance hears of it at once.
    private static func change(
        _ email: String, _ act: String, _ statement: @Sendable (UUID) -> SQL, _ owner: Database
    ) async throws -> Bool {
        try await owner.transaction { tx in
            let rows = try await tx.query("SELECT id FROM users WHERE email_norm = lower(\(email))")
            guard let user: UUID = try rows.first?.get(0) else { return false }
            _ = try await tx.batch([
                statement(user), Transaction.become(Audit.installation),
                Audit.sql(Audit.Entry(act, on: "user", user), by: .system, company: Audit.installation),
                Transaction.become(nil),
            ])
            try await AccessChange.record(user: user, company: nil, in: tx)
            return true
        }
    }
}
