import API

extension Permission {
    static let quotasRead = Permission("quotas:read", "See the company's quotas and what is used of them", [.owner, .admin, .manager])
}
