import API
import Synchronization

/// Every permission there is, and what each built-in role holds of them. The app declares it once, before anything
/// else starts; it is the same for every company.
public enum PermissionCatalogue {
    private struct Content {
        var permissions: [Permission] = []
        var byRole: [BuiltInRole: PermissionSet] = [:]
    }

    private static let content = Mutex(Content())

    public static func declare(_ permissions: [Permission]) {
        let byRole = Dictionary(
            uniqueKeysWithValues: BuiltInRole.allCases.map { ($0, PermissionSet.of($0, among: permissions)) })
        content.withLock { $0 = Content(permissions: permissions, byRole: byRole) }
    }

    public static var all: [Permission] { content.withLock { $0.permissions } }

    public static func named(_ name: String) -> Permission? { all.first { $0.name == name } }

    public static func held(by role: BuiltInRole) -> PermissionSet {
        content.withLock { $0.byRole[role] ?? PermissionSet() }
    }
}

extension PermissionSet {
    /// What a role permits: a built-in one by code, a custom one by its list.
    public static func ofRole(key: String, isBuiltIn: Bool, custom names: [String]) -> PermissionSet {
        if isBuiltIn { return BuiltInRole(rawValue: key).map(PermissionCatalogue.held) ?? PermissionSet() }
        return PermissionSet(names: names)
    }
}
