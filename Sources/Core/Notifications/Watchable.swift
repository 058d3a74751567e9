import API
import Postgres
import Synchronization
import Wire

/// A kind of thing that people may watch, declared by the domain that owns it.
public struct Watchable: Sendable {
    /// As notifications name their subject: `team`.
    public let type: String
    /// Without it the thing does not exist for somebody.
    public let permission: Permission
    /// A statement that gives a row when the company has such a thing.
    public let exists: @Sendable (_ id: UUID, _ company: UUID) -> SQL

    public init(
        _ type: String, _ permission: Permission, exists: @escaping @Sendable (_ id: UUID, _ company: UUID) -> SQL
    ) {
        self.type = type
        self.permission = permission
        self.exists = exists
    }
}

/// Every kind of thing that can be watched; the app declares it once.
public enum WatchableCatalogue {
    private static let content = Mutex<[String: Watchable]>([:])

    public static func declare(_ watchables: [Watchable]) {
        content.withLock { $0 = Dictionary(uniqueKeysWithValues: watchables.map { ($0.type, $0) }) }
    }

    public static func named(_ type: String) -> Watchable? { content.withLock { $0[type] } }
}
