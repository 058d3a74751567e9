import HTTP
import Telemetry

/// Writes each exchange into the access log and the metrics, on the loop that had it.
struct Observer: Sendable {
    let accessLog: AccessLog?
    private let unmatched: RouteMeter

    init(accessLog: AccessLog?, metrics: RequestMetrics) {
        self.accessLog = accessLog
        // One series for all addresses nobody declared, or a scanner would make thousands.
        unmatched = metrics.meter(route: "", method: "")
    }

    func finished(_ exchange: Exchange) {
        guard let request = exchange.request else { return }
        let call = request.context as? Call
        let endpoint = call?.endpoint
        let duration = exchange.ended &- exchange.started
        (endpoint?.meter ?? unmatched).record(
            status: exchange.status, nanoseconds: duration, on: request.loop)
        guard let accessLog else { return }
        let path = if let endpoint, endpoint.hidesPath { endpoint.route.path } else { request.path }
        var entry = AccessEntry(
            method: request.method.name, route: endpoint?.route.path, path: path, status: exchange.status,
            durationNanoseconds: duration)
        entry.bytesIn = exchange.bytesIn
        entry.bytesOut = exchange.bytesOut
        entry.requestId = call?.identity.given
        entry.ownRequestId = call?.identity.own
        entry.traceId = call?.identity.parent == nil ? nil : call?.traceId
        entry.companyId = call?.principal?.companyId
        entry.userId = call?.principal?.userId
        entry.client = request.clientName
        entry.isSent = exchange.outcome == .sent
        accessLog.record(entry, on: request.loop)
    }
}
