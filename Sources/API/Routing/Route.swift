import HTTP
import Wire

/// One endpoint, declared once: the router, the checks, openapi.yaml, /docs and the tests over all routes read it.
public struct Route: Sendable {
    public enum Idempotency: Sendable {
        /// The client may send an Idempotency-Key.
        case accepted
        /// Without one the route refuses: money, publishing, whatever must not happen twice.
        case required
        /// A key is passed over: asking twice gives a new answer by its nature (a login), which is not to be stored.
        case none
    }

    public let method: Method
    public let path: String
    public let summary: String
    public let access: Access
    public internal(set) var details: String?
    public internal(set) var operationId: String?
    /// The domain's name; set when the application gathers its routes.
    public internal(set) var tag: String = ""
    public internal(set) var inputs: [InputPart] = []
    public internal(set) var output: OutputPart
    public internal(set) var rate: RatePolicy = .default
    public internal(set) var idempotency: Idempotency
    /// What was said of If-Match; nil is the rule of the house.
    var ifMatch: IfMatchRule?
    public internal(set) var isDevelopmentOnly = false
    public internal(set) var bodyExample: JSON?
    public internal(set) var answerExample: JSON?
    public internal(set) var problems: [ProblemCode] = []
    public internal(set) var bodyBytesMax = InputLimits.bodyBytesMax
    /// The route is on its way out.
    public internal(set) var deprecation: Deprecation?
    /// Fields of the answer to OPTIONS, by which a protocol tells what it can do here.
    public internal(set) var announcements: [Announcement] = []
    /// Nothing of the answer may be kept by anybody: tokens, exports of personal data.
    public internal(set) var isSecret = false
    /// Others write the query: what stands there is neither read nor refused.
    public internal(set) var passesQueryOver = false
    /// Pages of any origin may call it; the handler says to whom it listens.
    public internal(set) var takesAnyOrigin = false
    /// Mistakes found while the declaration was read.
    var mistakes: [String] = []
    let handle: @Sendable (Call) async throws -> Response
}

/// A list of routes: `@RouteList static var routes: [Route] { GET(…) … }`.
@resultBuilder
public enum RouteList {
    public static func buildExpression(_ route: Route) -> [Route] { [route] }
    public static func buildExpression(_ routes: [Route]) -> [Route] { routes }
    public static func buildBlock(_ parts: [Route]...) -> [Route] { parts.flatMap { $0 } }
    public static func buildOptional(_ part: [Route]?) -> [Route] { part ?? [] }
    public static func buildEither(first part: [Route]) -> [Route] { part }
    public static func buildEither(second part: [Route]) -> [Route] { part }
    public static func buildArray(_ parts: [[Route]]) -> [Route] { parts.flatMap { $0 } }
}

public func GET<each Input: RouteInput, Output: RouteOutput>(
    _ path: String, _ summary: String, _ access: Access,
    _ handler: @escaping @Sendable (Call, repeat each Input) async throws -> Output
) -> Route { Route(.get, path, summary, access, handler) }

public func POST<each Input: RouteInput, Output: RouteOutput>(
    _ path: String, _ summary: String, _ access: Access,
    _ handler: @escaping @Sendable (Call, repeat each Input) async throws -> Output
) -> Route { Route(.post, path, summary, access, handler) }

public func PUT<each Input: RouteInput, Output: RouteOutput>(
    _ path: String, _ summary: String, _ access: Access,
    _ handler: @escaping @Sendable (Call, repeat each Input) async throws -> Output
) -> Route { Route(.put, path, summary, access, handler) }

public func PATCH<each Input: RouteInput, Output: RouteOutput>(
    _ path: String, _ summary: String, _ access: Access,
    _ handler: @escaping @Sendable (Call, repeat each Input) async throws -> Output
) -> Route { Route(.patch, path, summary, access, handler) }

public func DELETE<each Input: RouteInput, Output: RouteOutput>(
    _ path: String, _ summary: String, _ access: Access,
    _ handler: @escaping @Sendable (Call, repeat each Input) async throws -> Output
) -> Route { Route(.delete, path, summary, access, handler) }

extension Route {
    init<each Input: RouteInput, Output: RouteOutput>(
        _ method: Method, _ path: String, _ summary: String, _ access: Access,
        _ handler: @escaping @Sendable (Call, repeat each Input) async throws -> Output
    ) {
        self.method = method
        self.path = path
        self.summary = summary
        self.access = access
        idempotency = method == .post ? .accepted : .none
        var inputs: [InputPart] = []
        var mistakes: [String] = []
        for input in repeat (each Input).self {
            do { inputs.append(try input.part()) } catch { mistakes.append(error.description) }
        }
        do { output = try Output.part() } catch {
            mistakes.append(error.description)
            output = OutputPart(status: 204)
        }
        self.inputs = inputs
        self.mistakes = mistakes
        // A body that the handler reads itself cannot be compared with the one before.
        if inputs.contains(where: { if case .stream = $0 { true } else { false } }) { idempotency = .none }
        let parts = inputs
        handle = { call in
            let reader = InputReader(call, parts)
            let read = (repeat (each Input).read(reader))
            if !reader.faults.isEmpty { throw Problem.faulty(reader.faults) }
            let output = try await handler(call, repeat (each read)!)
            return try output.response(to: call)
        }
    }

    var readsBody: Bool { inputs.contains(where: \.isBody) }
}

/// Modifiers: each gives the route with one thing changed.
extension Route {
    private func with<Value>(_ path: WritableKeyPath<Route, Value>, _ value: Value) -> Route {
        var copy = self
        copy[keyPath: path] = value
        return copy
    }

    /// A paragraph or two for the docs: what happens, what to watch for.
    public func describe(_ text: String) -> Route { with(\.details, text) }

    /// The name generated clients give the call; without it, it is made of method and path.
    public func operation(_ id: String) -> Route { with(\.operationId, id) }

    public func rate(_ policy: RatePolicy) -> Route { with(\.rate, policy) }
    public func idempotent(_ rule: Idempotency) -> Route { with(\.idempotency, rule) }
    /// Where something else than the rule of the house holds: PUT and PATCH that answer a version honour If-Match.
    public func ifMatch(_ rule: IfMatchRule) -> Route { with(\.ifMatch, rule) }
    public var developmentOnly: Route { with(\.isDevelopmentOnly, true) }
    /// For addresses that another house leads people back to, with whatever it likes behind the `?`.
    public var anyQuery: Route { with(\.passesQueryOver, true) }
    /// For what stands on other people's pages: browsers let any page call it and read the answer. No cookie counts here.
    public var anyOrigin: Route { with(\.takesAnyOrigin, true) }
    /// The answer holds secrets: `Cache-Control: no-store`, and it is never stored for a repeated request.
    public var secret: Route {
        with(\.isSecret, true).with(\.idempotency, idempotency == .required ? .required : .none)
    }

    /// Still served, and said to end (RFC 9745, RFC 8594): callers are told on every answer.
    public func deprecated(since: LocalDate, sunset: LocalDate, see link: String) -> Route {
        with(\.deprecation, Deprecation(since: since, sunset: sunset, link: link))
    }

    /// What this route may answer beside what every route may.
    public func problems(_ codes: ProblemCode...) -> Route { with(\.problems, problems + codes) }

    /// The kind of body that a response made by hand carries.
    public func media(_ type: String) -> Route { media([type]) }

    /// The same where the request decides which of these it is.
    public func media(_ types: [String]) -> Route {
        let bare = types.map { String($0.prefix { $0 != ";" }) }
        return with(\.output, OutputPart(status: output.status, shape: .media(bare)))
    }

    /// Adds a field to the answer to OPTIONS.
    public func announcing(_ name: StaticString, _ value: String) -> Route {
        with(\.announcements, announcements + [Announcement(name: name, value: value)])
    }

    public struct Announcement: Sendable {
        let name: StaticString
        let value: String
    }

    /// The kind of body that the handler reads itself.
    public func takes(_ type: String) -> Route {
        with(\.inputs, inputs.map { if case .stream = $0 { .stream(mediaType: type) } else { $0 } })
    }

    /// Takes bodies of up to so many bytes.
    public func bodyBytes(max: Int) -> Route { with(\.bodyBytesMax, max) }

    /// Examples for the docs; a test checks them against the schemas.
    public func example(body: JSON? = nil, answer: JSON? = nil) -> Route {
        with(\.bodyExample, body ?? bodyExample).with(\.answerExample, answer ?? answerExample)
    }

    public enum IfMatchRule: Sendable {
        /// 428 without it.
        case required
        case accepted
        /// What the route does is right whatever version the row has by now: a mark set, a member added.
        case ignored
    }

    public var requiresIfMatch: Bool { ifMatch == .required }

    /// Asked again with the ETag of its last answer, it may say that nothing has changed.
    var mayBeUnchanged: Bool {
        guard method == .get else { return false }
        return if case .page = output.shape { true } else { output.hasVersion }
    }

    /// A version other than the one the client has seen is refused with 412.
    public var honoursIfMatch: Bool {
        if let ifMatch { return ifMatch != .ignored }
        return switch method {
        case .patch, .put: output.hasVersion
        case .delete, .get, .head, .post, .options: false
        }
    }
}
