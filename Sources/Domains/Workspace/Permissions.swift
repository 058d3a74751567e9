import API

extension Permission {
    public static let tagsRead = Permission(
        "tags:read", "See the company's tags", [.owner, .admin, .manager, .member, .viewer, .client])
    public static let tagsWrite = Permission(
        "tags:write", "Create and change tags", [.owner, .admin, .manager, .member])
    public static let tagsManage = Permission(
        "tags:manage", "Merge and delete tags", [.owner, .admin, .manager])
    public static let customFieldsManage = Permission(
        "custom-fields:manage", "Say which fields of their own the company's things have",
        [.owner, .admin, .manager])
    public static let viewsShare = Permission(
        "saved-views:share", "Share saved views with the company", [.owner, .admin, .manager, .member])
    public static let viewsManage = Permission(
        "saved-views:manage", "Change and delete what others have shared", [.owner, .admin])
    public static let importsRun = Permission(
        "imports:run", "Bring in tables of what one may write", [.owner, .admin, .manager, .member])
    public static let importsManage = Permission(
        "imports:manage", "See, stop and undo the imports of others", [.owner, .admin])
    public static let exportsRun = Permission(
        "exports:run", "Take out tables of what one may see", [.owner, .admin, .manager, .member])
}
