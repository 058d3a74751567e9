import HTTP
import Postgres
import Synchronization
import Wire

/// On whose behalf a request is made, and what that one may do.
public struct Principal: Sendable {
    public let userId: UUID
    public var sessionId: UUID?
    public var apiKeyId: UUID?
    public var companyId: UUID?
    public var memberId: UUID?
    public var permissions: PermissionSet
    /// Who really acts, when support works in a customer's name.
    public var impersonatorId: UUID?
    /// The token came in a cookie, so a foreign page may be the one that sends the request.
    public var isByCookie: Bool
    /// Runs the installation. Never by API key, and never in another's name.
    public var isOperator = false
    /// Why the company the token is for is closed to this session (its policy, an ended membership). What needs no
    /// company is still allowed.
    public var companyRefusal: Problem? {
        get { refusal?.problem }
        set { refusal = newValue.map(Refusal.init) }
    }

    /// What is known of the membership beside its permissions.
    public var standing: Standing?

    /// The plan of the company and the roles of the member, for what is decided by them.
    public final class Standing: Sendable {
        public let plan: String
        public let roleKeys: [String]
        /// Where it is noted what the member uses.
        let uses: PermissionUses?
        private let used = Mutex(PermissionSet())

        public init(plan: String, roleKeys: [String], uses: PermissionUses? = nil) {
            self.plan = plan
            self.roleKeys = roleKeys
            self.uses = uses
        }

        func isFirstUse(of permission: Permission) -> Bool {
            used.withLock { used in
                if used.contains(permission) { return false }
                used.insert(permission)
                return true
            }
        }
    }

    // Behind a reference: a principal is copied with every request, a refusal is rare.
    private var refusal: Refusal?

    private final class Refusal: Sendable {
        let problem: Problem
        init(_ problem: Problem) { self.problem = problem }
    }

    public init(
        userId: UUID, sessionId: UUID? = nil, apiKeyId: UUID? = nil, companyId: UUID? = nil,
        memberId: UUID? = nil,
        permissions: PermissionSet = PermissionSet(), impersonatorId: UUID? = nil, isByCookie: Bool = false
    ) {
        self.userId = userId
        self.sessionId = sessionId
        self.apiKeyId = apiKeyId
        self.companyId = companyId
        self.memberId = memberId
        self.permissions = permissions
        self.impersonatorId = impersonatorId
        self.isByCookie = isByCookie
    }

    public var isImpersonated: Bool { impersonatorId != nil }
    public var tenant: Tenant { Tenant(company: companyId, user: userId) }
}

/// Tells who sends a request. Auth implements it.
public protocol Authenticator: Sendable {
    /// What is known without waiting: nil when it has to be looked up, `.some(nil)` when the request carries no
    /// credentials at all. Called on the loop's thread.
    func cachedPrincipal(for request: Request) -> Principal??

    /// Nil when the request carries no credentials; a problem when it carries bad ones.
    func principal(for request: Request) async throws(Problem) -> Principal?
}

extension Principal {
    /// Nil, or why this one may not.
    static func refusal(of principal: Principal?, by access: Access) -> Problem? {
        if case .open = access { return nil }
        guard let principal else { return .unauthorized }
        switch access {
        case .open, .signedIn: return nil
        case .operator:
            return principal.isOperator ? nil : .forbidden("This is for those who run the installation.")
        case .member:
            return principal.companyId == nil ? principal.companyRefusal ?? Problem(.companyRequired) : nil
        case .can(let permission):
            if principal.companyId == nil { return principal.companyRefusal ?? Problem(.companyRequired) }
            guard principal.permissions.contains(permission) else { return .forbidden(permission) }
            PermissionUses.note(permission, by: principal)
            return nil
        }
    }
}
