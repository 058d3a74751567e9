import API

extension Permission {
    public static let projectsRead = Permission(
        "projects:read", "See the projects that are open to the company, and those one is a member of",
        [.owner, .admin, .manager, .member, .viewer, .client])
    public static let projectsWrite = Permission(
        "projects:write", "Create projects and change those one may manage",
        [.owner, .admin, .manager, .member])
    public static let projectsManage = Permission(
        "projects:manage", "See and manage every project of the company, private ones too", [.owner, .admin])
    public static let tasksRead = Permission(
        "tasks:read", "See the tasks of the projects one may see",
        [.owner, .admin, .manager, .member, .viewer, .client])
    public static let tasksWrite = Permission(
        "tasks:write", "Create and change tasks where the project allows it",
        [.owner, .admin, .manager, .member])
}
