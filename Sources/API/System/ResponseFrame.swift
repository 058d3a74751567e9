import HTTP
import Wire

/// The fields that every answer carries, most of them rendered once.
struct ResponseFrame: Sendable {
    private let fixed: [UInt8]
    private let fixedSecure: [UInt8]
    private let policy: [UInt8]
    /// The installation's own: they may use cookies.
    private let allowedOrigins: Set<String>
    private let companyOrigins: WebOrigins?
    private let mayBeForeign: Bool

    init(_ configuration: APIConfiguration, _ companyOrigins: WebOrigins?) {
        var lines = "x-content-type-options: nosniff\r\nreferrer-policy: no-referrer\r\n"
        // Without this a cache would give the answer made for one origin to another.
        mayBeForeign = !configuration.allowedOrigins.isEmpty || companyOrigins != nil
        if mayBeForeign { lines += "vary: origin\r\n" }
        fixed = Array(lines.utf8)
        let hsts = configuration.hstsSeconds
        fixedSecure = fixed + (hsts > 0 ? Array("strict-transport-security: max-age=\(hsts)\r\n".utf8) : [])
        policy = Array("content-security-policy: default-src 'none'; frame-ancestors 'none'\r\n".utf8)
        allowedOrigins = configuration.allowedOrigins
        self.companyOrigins = companyOrigins
    }

    func finish(_ response: Response, _ call: Call) -> Response {
        var response = response
        let endpoint = call.endpoint
        response.headers.reserve(640)
        call.identity.addRequestId(to: &response.headers)
        response.headers.add(lines: call.request.isSecure ? fixedSecure : fixed)
        let mayBringOwn = endpoint?.hasOwnHeaders ?? false
        if !mayBringOwn || !response.headers.contains("cross-origin-resource-policy") {
            response.headers.add(lines: Self.sameOrigin)
        }
        if !mayBringOwn || !response.headers.contains("content-security-policy") {
            response.headers.add(lines: policy)
        }
        if !mayBringOwn || !response.headers.contains("cache-control") {
            response.headers.add(
                lines: response.status < 400 ? endpoint?.cacheLine ?? Self.noStore : Self.noStore)
        }
        if let endpoint, !endpoint.deprecationLines.isEmpty {
            response.headers.add(lines: endpoint.deprecationLines)
        }
        if !call.headers.isEmpty { response.headers.add(call.headers) }
        if let rate = call.rate { rate.limiter.write(rate.outcome, into: &response.headers) }
        let isForAny = endpoint?.route.takesAnyOrigin ?? false
        if isForAny && !mayBeForeign { response.headers.add("vary", "origin" as StaticString) }
        if mayBeForeign || isForAny { addOrigin(to: &response.headers, call, isForAny: isForAny) }
        return response
    }

    func addFixedFields(to headers: inout ResponseHeaders, isSecure: Bool) {
        headers.add(lines: (isSecure ? fixedSecure : fixed) + Self.sameOrigin + policy + Self.noStore)
    }

    private static let sameOrigin = Array("cross-origin-resource-policy: same-origin\r\n".utf8)
    private static let noStore = Array("cache-control: no-store\r\n".utf8)

    // MARK: pages of other origins

    private func addOrigin(to headers: inout ResponseHeaders, _ call: Call, isForAny: Bool) {
        guard let origin = call.request.header("origin") else { return }
        let isOwn = allowedOrigins.contains(origin)
        guard isOwn || isForAny || companyOrigins?.allow(origin, for: call.principal?.companyId) == true
        else { return }
        headers.add("access-control-allow-origin", origin)
        if isOwn { headers.add("access-control-allow-credentials", "true" as StaticString) }
        headers.add(
            "access-control-expose-headers",
            """
            etag, link, location, retry-after, ratelimit, ratelimit-policy, x-request-id, idempotency-replayed, \
            accept-ranges, content-disposition, content-range, tus-resumable, tus-version, tus-extension, upload-offset, \
            upload-length, upload-expires
            """ as StaticString)
    }

    /// The answer to a browser that asks before it sends.
    /// - Parameter isForAny: what is asked for may be called from pages of any origin.
    func addPreflight(to headers: inout ResponseHeaders, methods: String, _ request: Request, isForAny: Bool)
    {
        guard request.header("access-control-request-method") != nil, let origin = request.header("origin")
        else { return }
        let isKnown = allowedOrigins.contains(origin) || companyOrigins?.allow(origin, for: nil) == true
        guard isKnown || isForAny else { return }
        // Of the others the frame tells by itself.
        if !isKnown { headers.add("access-control-allow-origin", origin) }
        headers.add("access-control-allow-methods", methods)
        headers.add(
            "access-control-allow-headers",
            """
            authorization, content-type, idempotency-key, if-match, if-none-match, if-range, range, x-request-id, \
            traceparent, x-csrf-token, tus-resumable, upload-length, upload-metadata, upload-offset, upload-checksum
            """ as StaticString)
        // Two hours, the longest Chromium keeps it.
        headers.add("access-control-max-age", "7200" as StaticString)
    }
}
