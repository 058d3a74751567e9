import Postgres
import Wire

/// Who follows the mails of news on their way out: asked before each leaves, and told how it went. The notifications
/// put it into the environment.
public struct MailWatch: Sendable {
    /// One try at a mail, as it ended.
    public struct Attempt: Sendable {
        public enum Outcome: String, SQLBindable, Sendable {
            case accepted
            case putBack = "put_back"
            case refused
        }

        public let mail: UUID
        public let company: UUID
        public let number: Int
        public let outcome: Outcome
        public let reply: String
    }

    /// Whether the mail is still wanted; what speaks against it is recorded before it is dropped.
    let isWanted: @Sendable (_ mail: UUID, _ company: UUID, Database) async throws -> Bool
    /// Statements that go with the settlement of an attempt, in one transaction as the company.
    let record: @Sendable (Attempt) -> [SQL]

    public init(
        isWanted: @escaping @Sendable (_ mail: UUID, _ company: UUID, Database) async throws -> Bool,
        record: @escaping @Sendable (Attempt) -> [SQL]
    ) {
        self.isWanted = isWanted
        self.record = record
    }
}
