import HTTP
import Wire

/// What is looked at before a body is read.
enum BodyCheck {
    /// 406 when the client cannot take JSON.
    static func accept(_ call: Call) throws(Problem) {
        if case .media = call.route.route.output.shape { return }
        guard let accept = call.request.headerList("accept"), accept != "*/*" else { return }
        let isAcceptable = accept.split(separator: ",").contains { range in
            let parts = range.split(separator: ";").map { String($0).trimmed().lowercased() }
            let isRefused = parts.dropFirst().contains {
                $0.hasPrefix("q=0") && !$0.contains(where: { ("1"..."9").contains($0) })
            }
            return !isRefused
                && ["*/*", "application/*", "application/json", "application/problem+json"].contains(
                    parts.first)
        }
        if !isAcceptable { throw Problem(.notAcceptable) }
    }

    /// 415 when the body is of another kind than the route takes.
    static func mediaType(_ call: Call) throws(Problem) {
        let field = call.request.header("content-type")
        let essence = field.flatMap { MediaType($0) }?.essence
        let inputs = call.route.route.inputs
        let isWelcome =
            switch essence {
            case "application/json": inputs.contains { if case .form = $0 { false } else { $0.isBody } }
            case "application/merge-patch+json":
                inputs.contains { if case .patch = $0 { true } else { false } }
            case "application/x-www-form-urlencoded":
                inputs.contains { if case .form = $0 { true } else { false } }
            default: false
            }
        guard isWelcome else {
            throw Problem(
                .unsupportedMediaType,
                field.map { "\"\($0.prefix(100))\" is not taken here." } ?? "Content-Type is missing."
            )
            .header(
                "accept",
                call.route.route.method == .patch
                    ? "application/json, application/merge-patch+json" : "application/json")
        }
    }

    static func problem(for error: BodyError) -> Problem {
        switch error {
        case .tooLarge(let limit): Problem(.payloadTooLarge, "At most \(limit) bytes are taken here.")
        case .malformed: Problem(.badRequest, "The body is not framed correctly.")
        case .unknownEncoding:
            Problem(.unsupportedMediaType, "The only Content-Encoding taken is gzip.").header(
                "accept-encoding", "gzip")
        case .badGzip: Problem(.badRequest, "The body is no valid gzip, or unpacks to far more than it is.")
        case .timedOut: Problem(.requestTimeout)
        case .disconnected: Problem(.requestTimeout, "The client went away.")
        }
    }
}
