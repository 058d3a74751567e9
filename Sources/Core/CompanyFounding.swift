import Postgres
import Wire

/// The port by which a sign-up gets its company. Companies answers it.
public struct CompanyFounding: Sendable {
    public struct NewCompany: Sendable {
        public var id: UUID
        public var name: String
        public var founder: UUID
        public var timeZone: String?
        public var locale: String?
        /// The agency whose client this company is.
        public var parent: UUID?

        public init(
            id: UUID, name: String, founder: UUID, timeZone: String? = nil, locale: String? = nil,
            parent: UUID? = nil
        ) {
            self.id = id
            self.name = name
            self.founder = founder
            self.timeZone = timeZone
            self.locale = locale
            self.parent = parent
        }
    }

    public struct Founded: Sendable {
        public let memberId: UUID
        public let slug: String

        public init(memberId: UUID, slug: String) {
            self.memberId = memberId
            self.slug = slug
        }
    }

    /// Makes the company, its built-in roles and its first owner in the caller's transaction, which must run as
    /// `Tenant(company: newCompany.id, user: newCompany.founder)`.
    public let found: @Sendable (NewCompany, Audit.Actor, Transaction) async throws -> Founded

    public init(found: @escaping @Sendable (NewCompany, Audit.Actor, Transaction) async throws -> Founded) {
        self.found = found
    }
}
