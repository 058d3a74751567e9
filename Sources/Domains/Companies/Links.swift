/// Where the mails lead, under the public address: `CompanyPages`, or the client that stands in their place.
struct Links: Sendable {
    let publicURL: String

    var members: String { "\(publicURL)/company/members" }
    var invitations: String { "\(publicURL)/company/invitations" }
    var joinRequests: String { "\(publicURL)/company/join-requests" }
    var company: String { "\(publicURL)/company/home" }

    // The secret stands behind #: it stays in the browser and never reaches a log.
    func invitation(_ token: String) -> String { "\(publicURL)/company/invitation#\(token)" }
    func transfer(_ token: String) -> String { "\(publicURL)/company/ownership#\(token)" }
    func joinLink(_ token: String) -> String { "\(publicURL)/company/join#\(token)" }
}
