import Postgres
import Wire

/// The port by which somebody who signs up with an invitation becomes a member in the same transaction.
public struct InvitationAcceptance: Sendable {
    public struct Accepted: Sendable {
        public let companyId: UUID
        public let memberId: UUID

        public init(companyId: UUID, memberId: UUID) {
            self.companyId = companyId
            self.memberId = memberId
        }
    }

    /// The company a token leads to, without asking the database; nil when it is no invitation's token.
    public let companyOfToken: @Sendable (String) -> UUID?

    /// Accepts for `user` in the caller's transaction, which must run as `Tenant(company: companyOfToken(token), user:
    /// user)`. The address must be verified and the invited one: a token that came by mail proves the address it was
    /// sent to, so a new user who signs up with just that address counts as verified. Accepting again as the same
    /// user changes nothing.
    public let accept:
        @Sendable (
            _ token: String, _ user: UUID, _ emailNorm: String, _ emailIsVerified: Bool, Audit.Actor,
            Transaction
        )
            async throws -> Accepted

    public init(
        companyOfToken: @escaping @Sendable (String) -> UUID?,
        accept:
            @escaping @Sendable (String, UUID, String, Bool, Audit.Actor, Transaction) async throws ->
            Accepted
    ) {
        self.companyOfToken = companyOfToken
        self.accept = accept
    }
}
