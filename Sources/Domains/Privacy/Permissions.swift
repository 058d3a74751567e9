import API

extension Permission {
    public static let privacyRead = Permission(
        "privacy:read", "See requests about personal data, holds and how long data is kept", [.owner, .admin])
    public static let privacyWrite = Permission(
        "privacy:write", "Take all data away, forget people, decide how long data is kept", [.owner, .admin])
    public static let consentsRead = Permission(
        "consents:read", "See what people agreed to", [.owner, .admin, .manager, .member])
    public static let consentsWrite = Permission(
        "consents:write", "Record what people agreed to", [.owner, .admin, .manager, .member])
}
