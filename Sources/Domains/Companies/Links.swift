/// Where the mails lead: pages of whatever client stands before the API, under the public address.
struct Links: Sendable {
    let publicURL: String

    var members: String { "\(publicURL)/members" }
    var invitations: String { "\(publicURL)/invitations" }
    var joinRequests: String { "\(publicURL)/join-requests" }
    var company: String { "\(publicURL)/company" }

    // The secret stands behind #: it stays in the browser and never reaches a log.
    func invitation(_ token: String) -> String { "\(publicURL)/invitation#\(token)" }
    func transfer(_ token: String) -> String { "\(publicURL)/ownership#\(token)" }
    func joinLink(_ token: String) -> String { "\(publicURL)/join#\(token)" }
}
