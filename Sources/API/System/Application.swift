import Crypto
import HTTP
import Logging
import Loop
import Postgres
import Synchronization
import Telemetry
import Wire

/// The API as a whole: gathers the domains' routes, refuses to start with unsound ones, and answers requests.
public final class Application: Sendable {
    public let configuration: APIConfiguration
    public let database: Database
    public let environment: Environment
    public let health: Health
    /// Every route of the domains, in order; what the tests over all routes and `infinity routes` read.
    public let routes: [Route]
    public let domains: [DomainRoutes]
    public let permissions: [Permission]

    let authenticator: any Authenticator
    let clock: @Sendable () -> Timestamp
    let cursorKey: HMACKey
    let idempotencyKey: HMACKey
    let databaseProblems: DatabaseProblems
    let headroom = Headroom()
    let frame: ResponseFrame
    let observer: Observer
    let log = Logger(label: "api")
    /// How often who may ask.
    public let rates: Rates
    private let router: Router
    private let endpoints: [Endpoint]

    public init(
        _ domains: [DomainRoutes], configuration: APIConfiguration, authenticator: any Authenticator,
        database: Database, environment: Environment = Environment(), health: Health = Health(),
        metrics: Metrics, accessLog: AccessLog?, clock: @escaping @Sendable () -> Timestamp = { .now }
    ) throws(WiringFaults) {
        self.configuration = configuration
        self.domains = domains
        self.database = database
        self.environment = environment
        self.authenticator = authenticator
        self.health = health
        self.clock = clock
        cursorKey = HMACKey(HKDF.derive(configuration.secret, info: "cursor"))
        idempotencyKey = HMACKey(HKDF.derive(configuration.secret, info: "idempotency"))
        databaseProblems = DatabaseProblems(
            domains.flatMap(\.constraints), codes: domains.flatMap(\.problems))
        permissions = domains.flatMap(\.permissions)
        frame = ResponseFrame(configuration, environment.find(WebOrigins.self))
        rates = Rates(configuration, database)
        let wiring = Wiring(domains, isDevelopment: configuration.isDevelopment)
        routes = try wiring.checked()
        let requestMetrics = RequestMetrics(in: metrics)
        observer = Observer(accessLog: accessLog, metrics: requestMetrics)
        let system = try SystemRoutes.all(domains, configuration, health: health, metrics: metrics)
        (router, endpoints) = try wiring.build(system, rates, metrics: requestMetrics)
    }
}

/// The order in which a request passes through:
/// its id and trace → the route, or 404, 405, a preflight → who asks and whether he may → how often → the body →
/// the handler, perhaps once only → the fields every answer carries → the log and the metrics.
extension Application: Responder {
    public func respond(to request: Request) -> Reply {
        let call = Call(request, self)
        request.context = call
        switch request.withPath({ router.match(request.method, $0) }) {
        case .route(let index, let parameters):
            let endpoint = endpoints[index]
            call.endpoint = endpoint
            call.pathValues = parameters
            return enter(endpoint, call)
        case .otherMethods(let methods):
            return .now(frame.finish(otherMethod(methods, call), call))
        case .none:
            if request.method == .options, request.path == "*" {
                return .now(frame.finish(otherMethod(Method.allCases, call), call))
            }
            return .now(answer(unknownAddress(request), call))
        }
    }

    private func enter(_ endpoint: Endpoint, _ call: Call) -> Reply {
        switch endpoint.work {
        case .now(let work): return .now(frame.finish(work(call), call))
        case .later(let work): return .later { [frame] in frame.finish(await work(call), call) }
        case .route: break
        }
        if case .open = endpoint.route.access { return proceed(call) }
        if let principal = authenticator.cachedPrincipal(for: call.request) {
            call.principal = principal
            return proceed(call)
        }
        return .later { await self.authenticateAndRun(call) }
    }

    /// With the principal known: refuses at once, or starts the handler.
    private func proceed(_ call: Call) -> Reply {
        do throws(Problem) {
            try admit(call)
            return .later { await self.run(call) }
        } catch {
            return .now(answer(error, call))
        }
    }

    private func authenticateAndRun(_ call: Call) async -> Response {
        do throws(Problem) {
            call.principal = try await authenticate(call)
            try admit(call)
        } catch {
            return answer(error, call)
        }
        return await run(call)
    }

    private func authenticate(_ call: Call) async throws(Problem) -> Principal? {
        do throws(Problem) {
            return try await authenticator.principal(for: call.request)
        } catch {
            if error.status == 401 { try rates.countBadToken(call) }
            throw error
        }
    }

    private func admit(_ call: Call) throws(Problem) {
        let endpoint = call.route
        try APIVersion.check(call.request)
        try rates.admit(call, endpoint)
        if let refusal = Principal.refusal(of: call.principal, by: endpoint.route.access) { throw refusal }
        if endpoint.route.requiresIfMatch, call.request.headerBytes("if-match", { _ in true }) == nil {
            throw Problem(.preconditionRequired)
        }
        if endpoint.takesNoQuery, let query = call.request.query, !query.isEmpty {
            throw .unknownQuery(query)
        }
    }

    private func run(_ call: Call) async -> Response {
        do {
            try BodyCheck.accept(call)
            if call.route.readsBody {
                try BodyCheck.mediaType(call)
                call.bodyBytes = try await call.request.body.collect(upTo: call.route.route.bodyBytesMax)
            }
            let response = try await Idempotency.run(call) {
                let response = try await call.route.route.handle(call)
                #if DEBUG
                    try call.checkVersionsWereCompared()
                #endif
                return response
            }
            return frame.finish(response, call)
        } catch {
            return answer(problem(for: error, call), call)
        }
    }

    // MARK: answers that say no

    private func otherMethod(_ methods: [Method], _ call: Call) -> Response {
        let withHead = methods.contains(.get) && !methods.contains(.head) ? methods + [.head] : methods
        let allow = (withHead.filter { $0 != .options } + [.options]).map { "\($0.name)" }.joined(
            separator: ", ")
        if call.request.method == .options {
            var response = Response(status: 204)
            response.headers.add("allow", allow)
            var isForAny = false
            for method in methods {
                guard case .route(let index, _) = call.request.withPath({ router.match(method, $0) }) else {
                    continue
                }
                isForAny = isForAny || endpoints[index].route.takesAnyOrigin
                for field in endpoints[index].route.announcements {
                    response.headers.add(field.name, field.value)
                }
            }
            frame.addPreflight(to: &response.headers, methods: allow, call.request, isForAny: isForAny)
            return response
        }
        return render(Problem(.methodNotAllowed, "Allowed are \(allow).").header("allow", allow), call)
    }

    private func unknownAddress(_ request: Request) -> Problem {
        let path = request.path
        guard path.count > 1, path.hasSuffix("/") else { return .notFound }
        return .notFound("No address here ends with a slash; perhaps \(path.dropLast()) was meant.")
    }

    func answer(_ problem: Problem, _ call: Call) -> Response { frame.finish(render(problem, call), call) }

    func render(_ problem: Problem, _ call: Call?) -> Response {
        let out = ByteWriter(capacity: 512)
        problem.write(
            into: out, typeBase: (configuration.publicURL ?? "") + "/docs/errors",
            instance: call?.request.path,
            requestId: call?.requestId)
        var response = Response(status: problem.status, body: .buffer(out))
        response.headers.add("content-type", "application/problem+json" as StaticString)
        for (name, value) in problem.headers { response.headers.add(name, value) }
        return response
    }

    /// What a thrown error means to the caller; the rest is for the log.
    private func problem(for error: any Error, _ call: Call) -> Problem {
        switch error {
        case let problem as Problem: return problem
        case let error as DatabaseError:
            if let problem = databaseProblems.problem(for: error) { return problem }
            log.error(
                "the database refused a statement",
                metadata: [
                    "request_id": "\(call.requestId)", "route": "\(call.route.route.path)",
                    "cause": "\(error.debugDescription)",
                ])
        case let error as BodyError: return BodyCheck.problem(for: error)
        case is CancellationError: return Problem(.requestTimeout, "The client went away.")
        case is BlockingPool.Full: return .unavailable(retryAfterSeconds: 2)
        default:
            log.error(
                "a handler failed",
                metadata: [
                    "request_id": "\(call.requestId)", "route": "\(call.route.route.path)",
                    "cause": "\(error)",
                ])
        }
        return Problem(.internalError)
    }

    // MARK: the server's own side

    public func refusal(_ status: Int, _ reason: Refusal, _ request: Request?) -> Response {
        var problem = Problem(Self.code(for: status), reason.detail)
        if status == 503 { problem = problem.header("retry-after", "1") }
        guard let request else {
            var response = render(problem, nil)
            frame.addFixedFields(to: &response.headers, isSecure: false)
            return response
        }
        let call = request.context as? Call ?? Call(request, self)
        request.context = call
        return answer(problem, call)
    }

    private static func code(for status: Int) -> ProblemCode {
        switch status {
        case 408: .requestTimeout
        case 413: .payloadTooLarge
        case 414: .uriTooLong
        case 417: .expectationFailed
        case 431: .headersTooLarge
        case 501: .notImplemented
        case 503: .unavailable
        case 505: .versionNotSupported
        default: .badRequest
        }
    }

    public func finished(_ exchange: Exchange) {
        observer.finished(exchange)
        // The call holds its request: the way back is cut, or the two would hold each other for ever.
        exchange.request?.context = nil
    }
}
