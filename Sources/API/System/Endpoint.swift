import HTTP
import Telemetry

/// A route as the running application knows it.
final class Endpoint: Sendable {
    enum Work: Sendable {
        case route
        /// Answered on the spot, without a task.
        case now(@Sendable (Call) -> Response)
        case later(@Sendable (Call) async -> Response)
    }

    let route: Route
    let parameters: [String]
    let work: Work
    let limiter: RateLimiter?
    let meter: RouteMeter
    let readsBody: Bool
    /// No argument reads the query, so that whatever stands there is a mistake.
    let takesNoQuery: Bool
    /// An answer without Cache-Control of its own gets this one.
    let cacheLine: [UInt8]
    let deprecationLines: [UInt8]
    /// The address holds a secret, which logs must not.
    let hidesPath: Bool
    /// The answer may bring its own Content-Security-Policy, Cross-Origin-Resource-Policy and Cache-Control.
    let hasOwnHeaders: Bool

    init(_ route: Route, parameters: [String], work: Work, limiter: RateLimiter?, meter: RouteMeter) {
        self.route = route
        self.parameters = parameters
        self.work = work
        self.limiter = limiter
        self.meter = meter
        readsBody = route.readsBody
        hidesPath = parameters.contains("token")
        deprecationLines = route.deprecation?.lines ?? []
        takesNoQuery =
            !route.passesQueryOver
            && !route.inputs.contains { part in
                switch part {
                case .query, .list, .stream: true
                case .path, .body, .patch, .form: false
                }
            }
        hasOwnHeaders = if case .media = route.output.shape { true } else { false }
        let isRevalidated = route.method == .get && !route.isSecret && route.access != .open
        // no-cache lets a client keep the answer and ask whether it still holds; no-store would make 304 useless.
        cacheLine = Array(
            (isRevalidated ? "cache-control: private, no-cache\r\n" : "cache-control: no-store\r\n").utf8)
    }
}
