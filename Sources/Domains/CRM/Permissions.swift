import API

/// What somebody may do is one thing, whose records he sees another, and which fields of them a third.
extension Permission {
    public static let crmRead = Permission(
        "crm:read", "See one's own clients, contacts, leads and deals",
        [.owner, .admin, .manager, .member, .viewer])
    public static let crmReadTeam = Permission(
        "crm:read-team", "See those of the members of one's teams too, and those that nobody owns",
        [.owner, .admin, .manager, .member, .viewer])
    public static let crmReadAll = Permission(
        "crm:read-all", "See everybody's clients, contacts, leads and deals",
        [.owner, .admin, .manager, .member, .viewer])
    public static let crmWrite = Permission(
        "crm:write", "Create clients, contacts, leads and deals, and change those one sees",
        [.owner, .admin, .manager, .member])
    public static let crmManage = Permission(
        "crm:manage", "Set up pipelines, forms, rules and sequences, and merge and erase records",
        [.owner, .admin, .manager])
    public static let crmAmounts = Permission(
        "crm:amounts", "See and enter what leads and deals are worth",
        [.owner, .admin, .manager, .member, .viewer])
    public static let crmContactData = Permission(
        "crm:contact-data", "See and enter e-mail addresses, phone numbers and postal addresses",
        [.owner, .admin, .manager, .member, .viewer])
}
