import Synchronization

/// One thing somebody may be allowed to do, declared once by the domain that guards it.
public struct Permission: Hashable, Sendable {
    /// `resource:action`.
    public let name: String
    public let summary: String
    /// The built-in roles that hold it.
    public let roles: Set<BuiltInRole>
    /// Its place in a `PermissionSet`.
    let index: Int

    public init(_ name: String, _ summary: String, _ roles: Set<BuiltInRole>) {
        self.name = name
        self.summary = summary
        self.roles = roles
        index = PermissionNames.index(of: name)
    }

    public static func == (left: Permission, right: Permission) -> Bool { left.index == right.index }
    public func hash(into hasher: inout Hasher) { hasher.combine(index) }
}

/// The roles every company has from its first day, from the most to the least trusted.
public enum BuiltInRole: String, CaseIterable, Codable, Sendable {
    case owner, admin, manager, member, viewer, client
}

/// A set of permissions, as bits: asking it is one AND.
public struct PermissionSet: Hashable, Sendable {
    private var bits = SIMD8<UInt64>(repeating: 0)

    /// As many permissions as there can be.
    public static let capacity = 512

    public init() {}

    public init(_ permissions: some Sequence<Permission>) {
        for permission in permissions { insert(permission) }
    }

    /// Names nobody declares any more are passed over: they allow nothing.
    public init(names: some Sequence<String>) {
        for name in names { if let index = PermissionNames.known(name) { insert(index) } }
    }

    public static func of(_ role: BuiltInRole, among permissions: [Permission]) -> PermissionSet {
        PermissionSet(permissions.filter { $0.roles.contains(role) })
    }

    @inline(__always)
    public func contains(_ permission: Permission) -> Bool {
        bits[permission.index >> 6] & 1 << UInt64(permission.index & 63) != 0
    }

    public mutating func insert(_ permission: Permission) { insert(permission.index) }

    private mutating func insert(_ index: Int) { bits[index >> 6] |= 1 << UInt64(index & 63) }

    public func union(_ other: PermissionSet) -> PermissionSet { PermissionSet(bits: bits | other.bits) }
    public func intersection(_ other: PermissionSet) -> PermissionSet {
        PermissionSet(bits: bits & other.bits)
    }
    public func subtracting(_ other: PermissionSet) -> PermissionSet {
        PermissionSet(bits: bits & ~other.bits)
    }
    public func isSubset(of other: PermissionSet) -> Bool { subtracting(other).isEmpty }
    public var isEmpty: Bool { bits == SIMD8(repeating: 0) }

    /// The names in it, sorted.
    public var names: [String] {
        PermissionNames.all().enumerated()
            .filter { bits[$0.offset >> 6] & 1 << UInt64($0.offset & 63) != 0 }
            .map(\.element).sorted()
    }

    private init(bits: SIMD8<UInt64>) { self.bits = bits }
}

/// Gives each name its bit, for the life of the process.
private enum PermissionNames {
    private static let names = Mutex<(list: [String], indices: [String: Int])>(([], [:]))

    static func index(of name: String) -> Int {
        names.withLock { names in
            if let index = names.indices[name] { return index }
            let index = names.list.count
            precondition(index < PermissionSet.capacity, "more permissions than a PermissionSet has bits")
            names.list.append(name)
            names.indices[name] = index
            return index
        }
    }

    static func known(_ name: String) -> Int? { names.withLock { $0.indices[name] } }
    static func all() -> [String] { names.withLock { $0.list } }
}
