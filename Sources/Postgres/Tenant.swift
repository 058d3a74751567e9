import Wire

/// For whom a statement runs. Row-level security shows the rows of `company` alone; without one, none.
public struct Tenant: Sendable, Hashable {
    public var company: UUID?
    public var user: UUID?

    public init(company: UUID? = nil, user: UUID? = nil) {
        self.company = company
        self.user = user
    }

    /// Nobody's: what is common to all, and no tenant's rows.
    public static let none = Tenant()
}

/// How far a transaction is shielded from those beside it.
public enum Isolation: Sendable {
    case readCommitted
    case repeatableRead
    case serializable
    /// A stable picture of the data that changes nothing.
    case readOnlySnapshot

    var begin: String {
        switch self {
        case .readCommitted: "BEGIN"
        case .repeatableRead: "BEGIN ISOLATION LEVEL REPEATABLE READ"
        case .serializable: "BEGIN ISOLATION LEVEL SERIALIZABLE"
        case .readOnlySnapshot: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        }
    }
}
