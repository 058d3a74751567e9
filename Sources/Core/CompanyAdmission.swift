import Postgres
import Wire

/// The port by which somebody becomes a member of a company whose own provider or domain vouches for her.
public struct CompanyAdmission: Sendable {
    /// Why she is let in, for the record.
    public enum Ground: String, Sendable {
        case sso = "sso"
        case domain = "domain"
    }

    /// Lets `user` in with a role (the role `member` when nil) in the caller's transaction, which must run as the
    /// company's. Who is in already stays as she is; seats, suspensions and the state of the company are looked at.
    public let admit:
        @Sendable (_ user: UUID, _ company: UUID, _ role: UUID?, Ground, Audit.Actor, Transaction)
            async throws -> Void

    /// Lets a person with a newly confirmed address into the company whose verified domain says so, if there is one.
    /// Runs in a transaction of its own: a company that is full keeps nobody from an account.
    public let welcome:
        @Sendable (_ user: UUID, _ emailNorm: String, Audit.Actor, Database) async throws -> Void

    public init(
        admit: @escaping @Sendable (UUID, UUID, UUID?, Ground, Audit.Actor, Transaction) async throws -> Void,
        welcome: @escaping @Sendable (UUID, String, Audit.Actor, Database) async throws -> Void
    ) {
        self.admit = admit
        self.welcome = welcome
    }
}
