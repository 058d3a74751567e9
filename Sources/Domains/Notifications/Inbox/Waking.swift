import Core
import Postgres
import Wire

/// Bringing snoozed notifications back when their time has come: each as the newest of the inbox, unread.
enum Waking {
    struct Arguments: Codable, Sendable {
        let notification: UUID
        let user: UUID
    }

    static let kind = JobKind<Arguments>("notifications.wake", queue: "notifications")

    static let handler = JobHandler(kind) { arguments, job in
        guard let company = job.company else { return .done }
        return try await wake(arguments, company, job)
    }

    static func schedule(_ ids: [UUID], of user: UUID, at: Timestamp, _ company: UUID, in tx: Transaction)
        async throws
    {
        let all = ids.map { Arguments(notification: $0, user: user) }
        try await Jobs.enqueue(kind, all: all, company: company, at: at, in: tx)
    }

    /// Nothing to do when it was woken by hand, or snoozed anew: then another job waits for that time.
    private static func wake(_ arguments: Arguments, _ company: UUID, _ job: Job) async throws -> JobOutcome {
        let (id, user) = (arguments.notification, arguments.user)
        try await job.work.database.transaction(as: Tenant(company: company)) { tx in
            let due = try await tx.query(
                """
                SELECT 1 FROM notifications
                 WHERE company_id = \(company) AND id = \(id) AND snoozed_until <= now() AND deleted_at IS NULL
                """)
            if !due.isEmpty {
                let numbers = try await NotificationNumbers.take([user], company, in: tx)
                _ = try await tx.batch([
                    """
                    UPDATE notifications
                       SET snoozed_until = NULL, seq = \(numbers[user]), read_at = NULL, seen_at = NULL,
                           version = version + 1, updated_at = now()
                     WHERE company_id = \(company) AND id = \(id)
                    """,
                    InboxNews.tell(of: "n.id = \(id)", company),
                ])
            }
            try await job.finish(in: tx)
        }
        return .done
    }
}
