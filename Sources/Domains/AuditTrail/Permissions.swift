import API

extension Permission {
    public static let auditRead = Permission(
        "audit:read", "Search the record of changes and verify it", [.owner, .admin])
    public static let auditExport = Permission(
        "audit:export", "Take the record of changes away as a file", [.owner, .admin])
}
