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
        _ type: String, _ permission: Permission,
        exists: @escaping @Sendable (_ id: UUID, _ company: UUID) -> SQL
    ) {
        self.type = type
        self.permission = permission
        self.exists = exists
    }
}

/// Every kind of thing that can be watched; the app declares it once.
public enum WatchableCatalogue {
    private struct Content {
        var watchables: [String: Watchable] = [:]
        var subjects: [String: Subject] = [:]
    }

    private static let content = Mutex(Content())

    /// - Parameter subjects: what the domains say of who may see one thing of a kind.
    public static func declare(_ watchables: [Watchable], seenBy subjects: [Subject]) {
        content.withLock { content in
            content.watchables = Dictionary(uniqueKeysWithValues: watchables.map { ($0.type, $0) })
            content.subjects = Dictionary(uniqueKeysWithValues: subjects.map { ($0.kind, $0) })
        }
    }

    public static func named(_ type: String) -> Watchable? { content.withLock { $0.watchables[type] } }

    /// A condition on `m`, a row of memberships: this member may see the thing now. Who began to watch it may have lost
    /// the right since.
    static func maySee(_ thing: Notify.Subject, company: UUID) -> SQL {
        let (watchable, subject) = content.withLock { ($0.watchables[thing.type], $0.subjects[thing.type]) }
        return [watchable?.permission.isHeld(), subject?.visible(company, thing.id)].compactMap { $0 }
            .reduce("TRUE") { "\(fragment: $0) AND \(fragment: $1)" }
    }
}
