import API

extension Permission {
    public static let webhooksRead = Permission(
        "webhooks:read", "See webhook endpoints, messages and deliveries", [.owner, .admin])
    public static let webhooksWrite = Permission(
        "webhooks:write", "Make, change and delete webhook endpoints, send again", [.owner, .admin])
    public static let webhookSecretsRead = Permission(
        "webhooks:secrets", "Be shown the secret of a webhook endpoint again", [.owner])
}
