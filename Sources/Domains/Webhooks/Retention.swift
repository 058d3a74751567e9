import Core
import Postgres
import Wire

/// Empties the part of the rings that next month will write.
enum Retention {
    static let worker = Worker.single("webhook-retention", every: .seconds(6 * 3600)) { work in
        try await empty(slot: MessageId.slot(of: MessageId.month(of: .now) + 1), work.database)
        return .idle
    }

    static func empty(slot: Int, _ db: Database) async throws {
        for table in ["webhook_attempts_\(slot)", "webhook_messages_\(slot)"] {
            let rows = try await db.query("SELECT pg_relation_size(\(table)::regclass) > 0 AS is_used")
            guard try rows[0].get("is_used") else { continue }
            // A lock on the part alone, waited for in a transaction rather than on the shared connection.
            try await db.transaction { tx in _ = try await tx.query("TRUNCATE \(unescaped: table)") }
        }
    }
}
