import Outbound
import Wire

/// A house whose word about a person we take: where it is, who we are there, and how far it is believed.
struct IdentityProvider: Sendable {
    enum Kind: Sendable {
        /// Whatever speaks OpenID Connect.
        case openID
        /// OpenID Connect with one issuer per tenant of the customer's; which, the token says.
        case microsoft
        /// OAuth 2.0 and GitHub's own API; `api` is its address.
        case github(api: String)
    }

    /// `google`, or `sso:` and the id of a company's connection.
    let id: String
    let name: String
    let kind: Kind
    let issuer: String
    let clientId: String
    let clientSecret: String?
    /// How the session's methods and a company's policy call it.
    let method: String
    /// Addresses at these domains are believed when the provider says they are verified; nil means all.
    let believedDomains: Set<String>?

    /// Whether the person's local account may be found by the address that the provider vouches for.
    func vouches(for identity: FederatedIdentity) -> Bool {
        guard identity.isEmailVerified, let email = identity.email?.lowercased() else { return false }
        guard let believedDomains else { return true }
        return believedDomains.contains(String(email.drop { $0 != "@" }.dropFirst()))
    }
}

/// Somebody, as another house knows her.
struct FederatedIdentity: Sendable {
    let issuer: String
    let subject: String
    let email: String?
    let isEmailVerified: Bool
    let name: String?
}
