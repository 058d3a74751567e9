import API

extension Permission {
    public static let companyRead = Permission(
        "company:read", "See the company's profile and settings",
        [.owner, .admin, .manager, .member, .viewer, .client])
    public static let companyWrite = Permission(
        "company:write", "Change the company's profile and settings", [.owner, .admin])
    public static let companyDelete = Permission(
        "company:delete", "Delete the company and restore it", [.owner])
    public static let ownershipWrite = Permission(
        "ownership:write", "Hand the company to another owner", [.owner])
    public static let securityWrite = Permission(
        "security:write", "Change what the company asks of sign-ins", [.owner, .admin])
    public static let clientsRead = Permission(
        "client_companies:read", "See the client companies of an agency", [.owner, .admin, .manager])
    public static let clientsWrite = Permission(
        "client_companies:write", "Make client companies and decide who of the agency may enter them",
        [.owner, .admin])
    public static let membersRead = Permission(
        "members:read", "See who is in the company", [.owner, .admin, .manager, .member, .viewer])
    public static let membersWrite = Permission(
        "members:write", "Change, suspend, restore and remove members", [.owner, .admin])
    public static let membersExport = Permission(
        "members:export", "Take the list of members away as a file", [.owner, .admin])
    public static let invitationsRead = Permission(
        "invitations:read", "See invitations, join links and requests to join", [.owner, .admin, .manager])
    public static let invitationsWrite = Permission(
        "invitations:write", "Invite people and decide on requests to join", [.owner, .admin, .manager])
    public static let rolesRead = Permission(
        "roles:read", "See roles and what they permit", [.owner, .admin, .manager, .member, .viewer])
    public static let rolesWrite = Permission(
        "roles:write", "Make and change custom roles", [.owner, .admin])
    public static let rolesAssign = Permission(
        "roles:assign", "Give roles to members and take them away", [.owner, .admin])
    public static let accessRead = Permission(
        "access:read", "Ask who may do what, and why", [.owner, .admin])
    public static let teamsRead = Permission(
        "teams:read", "See teams and who is in them", [.owner, .admin, .manager, .member, .viewer])
    public static let teamsWrite = Permission(
        "teams:write", "Create and change teams", [.owner, .admin, .manager])
    public static let activityRead = Permission(
        "activity:read", "Read the record of who did what", [.owner, .admin])
}
