import Postgres
import Wire

/// A kind of data that is not kept for ever: which rows, counted from when, and for how long at least and at most.
///
///     RetentionClass("mail", "Mails that were sent", table: "mail_queue", since: "created_at",
///                    only: "t.state = 'sent'", days: 30, within: 1...365)
public struct RetentionClass: Sendable {
    /// One word or several with `_`, as it stands in the address and the settings of a company.
    public let name: String
    public let summary: String
    public let table: String
    /// The column its age is counted from.
    public let since: String
    /// Only such rows of it; the table is called `t`.
    public let condition: SQL?
    public let days: Int
    /// What a company may choose. Nil: the same for all, and not the company's to choose.
    public let choice: ClosedRange<Int>?
    /// How the rows of one company end whose end is more than a deletion.
    public typealias Cut = @Sendable (_ company: UUID, _ days: Int, _ owner: Database) async throws -> Void

    /// The application itself cannot delete these rows: it takes the owner of the tables.
    public let needsOwner: Bool
    /// What the owner does in place of deleting them.
    public let cut: Cut?
    /// Its own domain sweeps it; it stands here to be told and counted.
    public let isSweptElsewhere: Bool

    public init(
        _ name: String, _ summary: String, table: String, since: String, only condition: SQL? = nil,
        days: Int,
        within choice: ClosedRange<Int>? = nil, needsOwner: Bool = false, isSweptElsewhere: Bool = false,
        cut: Cut? = nil
    ) {
        self.name = name
        self.summary = summary
        self.table = table
        self.since = since
        self.condition = condition
        self.days = days
        self.choice = choice
        self.needsOwner = needsOwner
        self.cut = cut
        self.isSweptElsewhere = isSweptElsewhere
    }
}
