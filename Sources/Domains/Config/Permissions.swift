import API

extension Permission {
    static let quotasRead = Permission(
        "quotas:read", "See the company's quotas and what is used of them", [.owner, .admin, .manager])
    static let flagsRead = Permission(
        "feature-flags:read", "See feature flags and segments, and ask what they answer",
        [.owner, .admin, .manager, .member])
    static let flagsWrite = Permission(
        "feature-flags:write", "Create and change feature flags and segments", [.owner, .admin])

    static let settingsWrite = Permission(
        "settings:write", "Change settings of the company", [.owner, .admin])

    static let ofConfig: [Permission] = [.quotasRead, .flagsRead, .flagsWrite, .settingsWrite]
}
