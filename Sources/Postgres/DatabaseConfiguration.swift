/// Where the database is and how it may be used.
public struct DatabaseConfiguration: Sendable {
    /// A `postgresql://` URL or a libpq keyword string; several hosts are tried in order for one that takes writes.
    public var url: String
    /// For reads that may lag behind.
    public var replicaURL: String?
    /// A direct way to the primary for LISTEN, needed when `url` leads to a transaction pooler.
    public var listenURL: String?
    /// `url` leads to a pooler in transaction mode (PgBouncer): nothing may be kept in the session.
    public var isPooled = false
    /// Prepared statements are kept per connection. Behind a pooler that cannot keep them this turns itself off.
    public var preparesStatements = true
    /// The role that serving connections work as; one that row-level security binds. Nil leaves the login role.
    public var role: String? = "infinity_app"
    public var applicationName = "infinity"

    /// Shared connections of each loop for reading.
    public var pipelinesPerLoop = 1
    /// Shared connections of each loop for single writes, dialled when the first is wanted: a commit waits for the disk,
    /// and no reader is to wait behind it.
    public var writersPerLoop = 2
    /// Connections of each loop for transactions.
    public var leasesPerLoop = 4
    /// Connections of each loop for reports.
    public var reportsPerLoop = 1

    /// The longest a statement may run; on the shared connection it holds up what is behind it.
    public var statementDeadline: Duration = .seconds(5)
    public var reportDeadline: Duration = .seconds(60)
    /// The longest a transaction waits for another's lock.
    public var lockDeadline: Duration = .seconds(3)
    /// A transaction whose owner does nothing for so long is ended by the database.
    public var idleDeadline: Duration = .seconds(10)
    /// The longest a transaction or report waits for a connection of its own.
    public var leaseDeadline: Duration = .seconds(2)
    public var connectDeadline: Duration = .seconds(3)

    public init(url: String) { self.url = url }
}
