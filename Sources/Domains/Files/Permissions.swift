import API

extension Permission {
    public static let filesRead = Permission(
        "files:read", "See and download the company's files", [.owner, .admin, .manager, .member, .viewer])
    public static let filesWrite = Permission(
        "files:write", "Upload files, change them and delete one's own", [.owner, .admin, .manager, .member])
    public static let filesDelete = Permission(
        "files:delete", "Delete anybody's files, and for good", [.owner, .admin, .manager])
}
