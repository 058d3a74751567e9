/// Who may call a route. Every route states it; there is no default.
public enum Access: Sendable, Hashable {
    /// Anybody, without a token.
    case open
    /// Somebody who is logged in, whether or not the token is for a company.
    case signedIn
    /// Any member of the company the token is for.
    case member
    /// A member with this permission.
    case can(Permission)
    /// Somebody who runs the installation, whichever company the token is for.
    case `operator`
}
