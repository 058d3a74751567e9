import Postgres

/// The right of one instance to run a round of single work. It ends by itself should the instance die with it.
enum WorkerLease {
    /// Longer than any round takes; a round that outlives it may overlap the next holder's, so its statements must
    /// each be right on their own.
    static let seconds = 600

    /// The holder's number, or nil when the work is not due or another instance has it.
    static func take(_ name: String, _ db: Database) async throws -> Int64? {
        _ = try await db.query(
            "INSERT INTO worker_leases (name) VALUES (\(name)) ON CONFLICT (name) DO NOTHING")
        let rows = try await db.query(
            """
            UPDATE worker_leases
               SET held_until = now() + make_interval(secs => \(seconds)), fence = fence + 1
             WHERE name = \(name) AND due_at <= now() AND (held_until IS NULL OR held_until < now())
            RETURNING fence
            """)
        return try rows.first?.get("fence")
    }

    static func giveBack(_ name: String, _ fence: Int64, nextAfter pause: Duration, _ db: Database)
        async throws
    {
        let seconds = Double(pause.components.seconds) + Double(pause.components.attoseconds) / 1e18
        _ = try await db.query(
            """
            UPDATE worker_leases
               SET held_until = NULL, due_at = now() + make_interval(secs => \(seconds))
             WHERE name = \(name) AND fence = \(fence)
            """)
    }
}
