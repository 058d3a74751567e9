import Crypto
import HTTP
import Telemetry
import Wire

/// A route of the API's own, answered without the checks of the domains' routes.
struct SystemRoute: Sendable {
    let route: Route
    let work: Endpoint.Work

    init(_ path: String, _ summary: String, _ work: Endpoint.Work, mediaType: String? = nil) {
        var route = Route(.get, path, summary, .open) { (_: Call) in Raw(Response(status: 204)) }
        if mediaType == nil { route.output = OutputPart(status: 200) }
        route.rate = .none
        self.route = route
        self.work = work
    }
}

/// Health, metrics, the contract and its docs.
enum SystemRoutes {
    static func all(
        _ domains: [DomainRoutes], _ configuration: APIConfiguration, health: Health, metrics: Metrics
    ) throws(WiringFaults) -> [SystemRoute] {
        try [
            SystemRoute("/livez", "The process answers", .now { _ in ok() }),
            SystemRoute(
                "/healthz", "The process answers; `?verbose` tells of its parts",
                healthz(configuration, health)),
            SystemRoute("/readyz", "The process can do its work", .later { await ready($0, health) }),
            SystemRoute(
                "/metrics", "Figures for Prometheus", .now { figures(metrics, for: $0) },
                mediaType: "text/plain"),
        ] + DocsRoutes(domains, configuration).all
    }

    /// Nil, or why this caller gets no figures.
    private static func refusal(of call: Call) -> Problem? {
        let request = call.request
        switch call.application.configuration.metricsAccess {
        case .open: return nil
        case .off: return .notFound
        case .loopback:
            let isHere = request.peerAddress.isLoopback && request.clientAddress.isLoopback
            return isHere ? nil : .forbidden("The figures are for this machine alone.")
        case .token(let token):
            let isRight =
                request.header("authorization").map { constantTimeEquals($0, "Bearer \(token)") } ?? false
            return isRight ? nil : .unauthorized
        }
    }

    private static func ok() -> Response {
        var response = Response(status: 200, body: .bytes(okBody))
        response.headers.add("content-type", "application/json" as StaticString)
        return response
    }

    private static let okBody = Array(#"{"status":"ok"}"#.utf8)

    private static func healthz(_ configuration: APIConfiguration, _ health: Health) -> Endpoint.Work {
        .now { call in
            guard call.request.query != nil else { return ok() }
            let out = ByteWriter()
            out.write(#"{"status":"ok","version":"#)
            out.writeJSONString(configuration.version)
            out.write(#","draining":"#)
            out.write(health.isDraining ? "true" : "false")
            out.write("}")
            return .json(200, out)
        }
    }

    private static func ready(_ call: Call, _ health: Health) async -> Response {
        let findings = await health.findings()
        let isReady = findings.allSatisfy { $0.reason == nil }
        let isVerbose = call.request.query != nil
        let out = ByteWriter()
        out.write(isReady ? #"{"status":"ok","checks":["# : #"{"status":"unavailable","checks":["#)
        for (index, finding) in findings.filter({ isVerbose || $0.reason != nil }).enumerated() {
            if index > 0 { out.write(",") }
            out.write(#"{"name":"#)
            out.writeJSONString(finding.name)
            out.write(finding.reason == nil ? #","status":"ok""# : #","status":"failing","reason":"#)
            if let reason = finding.reason { out.writeJSONString(reason) }
            out.write(#","milliseconds":"#)
            out.write(finding.milliseconds)
            out.write("}")
        }
        out.write("]}")
        var response = Response.json(isReady ? 200 : 503, out)
        if !isReady { response.headers.add("retry-after", "1" as StaticString) }
        return response
    }

    private static func figures(_ metrics: Metrics, for call: Call) -> Response {
        if let refusal = refusal(of: call) { return call.application.render(refusal, call) }
        let out = ByteWriter(capacity: 16 << 10)
        metrics.write(into: out)
        var response = Response(status: 200, body: .buffer(out))
        response.headers.add("content-type", Metrics.contentType)
        return response
    }
}
