import Synchronization

/// Every kind of news there is. The app declares it once, before anything else starts.
public enum NotificationCatalogue {
    private static let content = Mutex<[String: NotificationType]>([:])

    /// Two types of one name are a mistake of the program.
    public static func declare(_ types: [NotificationType]) {
        let byName = Dictionary(types.map { ($0.name, $0) }) { one, _ in
            preconditionFailure("two notification types are called \(one.name)")
        }
        content.withLock { $0.merge(byName) { _, new in new } }
    }

    public static var all: [NotificationType] {
        content.withLock { Array($0.values) }.sorted { ($0.category, $0.name) < ($1.category, $1.name) }
    }

    public static func named(_ name: String) -> NotificationType? { content.withLock { $0[name] } }

    /// What people may choose by.
    public static var categories: [String] { Set(all.map(\.category)).sorted() }
}
