import HTTP
import Loop
import Postgres
import Wire

/// One request on its way through a handler: who asks, for which company, and the database as that one may see it.
// @unchecked Sendable: it belongs to the one task that answers the request, on the connection's loop.
public final class Call: @unchecked Sendable {
    public let request: Request
    public internal(set) var principal: Principal?
    /// The values of the path's parameters, in their order.
    public internal(set) var pathValues: [String] = []
    /// The body, when the route takes one as JSON or as a form.
    public internal(set) var bodyBytes: [UInt8] = []

    let application: Application
    var endpoint: Endpoint?
    /// The limit that is nearest to its end.
    var rate: (limiter: RateLimiter, outcome: RateOutcome)?
    /// Fields set by the handler.
    var headers = ResponseHeaders()
    /// The handler has looked at If-Match.
    var hasComparedVersions = false
    /// Where everything happens while an idempotent request is worked on.
    var joined: Transaction?
    let identity: RequestIdentity

    init(_ request: Request, _ application: Application) {
        self.request = request
        self.application = application
        identity = RequestIdentity(request)
    }

    /// The declaration this call is for.
    var route: Endpoint {
        guard let endpoint else { preconditionFailure("a handler runs for a matched route alone") }
        return endpoint
    }

    public var requestId: String { identity.requestId }
    /// 32 hexadecimal digits: the caller's trace, or one that begins here.
    public var traceId: String { identity.traceId }
    /// For calls to other services, so that their traces hang under this one.
    public var traceparent: String { identity.traceparent }

    /// The clock, as the application was given it.
    public var now: Timestamp { application.clock() }
    public var environment: Environment { application.environment }
    public var isDevelopment: Bool { application.configuration.isDevelopment }

    /// The user; throws 401 on an open route without a token.
    public var user: UUID {
        get throws(Problem) {
            guard let principal else { throw .unauthorized }
            return principal.userId
        }
    }

    /// The company the token is for.
    public var company: UUID {
        get throws(Problem) {
            guard let principal else { throw .unauthorized }
            guard let company = principal.companyId else {
                throw principal.companyRefusal ?? Problem(.companyRequired)
            }
            return company
        }
    }

    /// The caller's own membership.
    public var member: UUID {
        get throws(Problem) {
            guard let principal else { throw .unauthorized }
            guard let member = principal.memberId else {
                throw principal.companyRefusal ?? Problem(.companyRequired)
            }
            return member
        }
    }

    /// Whether the caller holds the permission. One that is asked about and held counts as used.
    public func can(_ permission: Permission) -> Bool {
        guard let principal, principal.permissions.contains(permission) else { return false }
        PermissionUses.note(permission, by: principal)
        return true
    }

    /// Throws 403 unless the caller holds the permission; for what depends on the data.
    public func require(_ permission: Permission) throws(Problem) {
        if !can(permission) { throw .forbidden(permission) }
    }

    /// The database with this caller's tenant set: row-level security shows what is his.
    public var db: TenantDatabase {
        TenantDatabase(database: application.database, tenant: principal?.tenant ?? .none, joined: joined)
    }

    /// Adds a field to the answer.
    public func header(_ name: StaticString, _ value: String) { headers.add(name, value) }

    public func setCookie(_ cookie: SetCookie) { headers.add("set-cookie", cookie.description) }

    public var cookies: Cookies { Cookies(request.headerList("cookie") ?? "") }

    /// What the handler has said so far is taken back before it runs again.
    func forgetAnswer() { headers = ResponseHeaders() }
}

/// Values that handlers need and domains bring: one of each type.
public struct Environment: Sendable {
    private var values: [ObjectIdentifier: any Sendable] = [:]

    public init() {}

    public mutating func set<Value: Sendable>(_ value: Value) { values[ObjectIdentifier(Value.self)] = value }

    /// The value of that type. Asking for one nobody brought is a mistake of wiring and stops the process.
    public subscript<Value: Sendable>(type: Value.Type) -> Value {
        guard let value = values[ObjectIdentifier(type)] as? Value else {
            preconditionFailure("nobody put a \(type) into the environment")
        }
        return value
    }

    public func find<Value: Sendable>(_ type: Value.Type) -> Value? {
        values[ObjectIdentifier(type)] as? Value
    }
}
