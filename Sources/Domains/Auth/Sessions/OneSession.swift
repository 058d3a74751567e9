import Core
import Postgres
import Wire

/// Companies that allow each member one session at a time: whoever enters one ends the sessions he left open elsewhere.
enum OneSession {
    static func keep(_ session: UUID, of user: UUID, at now: Timestamp, _ db: Database) async throws {
        try await db.transaction { tx in
            let ended = try await tx.batch(
                Sessions.end(of: user, but: session, reason: "superseded", at: now))[0]
            if ended.isEmpty { return }
            try await AccessChange.record(user: user, company: nil, in: tx)
            try await AuthEvents.recordEnded(ended, of: user, reason: "superseded", by: .system, in: tx)
        }
    }
}
