import Crypto
import Glibc
import HTTP
import Wire

/// /docs, its files, the list of problems, and the contract itself.
struct DocsRoutes {
    private let configuration: APIConfiguration
    private let openAPI: OpenAPI
    private let problems: ProblemPages

    init(_ domains: [DomainRoutes], _ configuration: APIConfiguration) throws(WiringFaults) {
        self.configuration = configuration
        openAPI = try OpenAPI(domains, version: configuration.version)
        problems = ProblemPages(domains)
    }

    var all: [SystemRoute] {
        let document = openAPI.document
        let json = Document(compressing: Array(document.description.utf8), "application/json")
        let yaml = Document(compressing: Array(YAML.text(of: document).utf8), "application/yaml")
        return [
            route("/openapi.json", "The contract", json), route("/openapi.yaml", "The contract", yaml),
            route("/docs/errors", "Every problem the API answers with", Document(html: problems.html)),
        ] + (SwaggerUI(folder: configuration.docsFolder)?.documents ?? ReferencePage.documents).map {
            route($0.path, "The API, to read and to try", $0.document)
        }
    }

    private func route(_ path: String, _ summary: String, _ document: Document) -> SystemRoute {
        SystemRoute(path, summary, .now { document.response(to: $0) }, mediaType: document.contentType)
    }
}

/// A document that stays the same for the life of the process.
struct Document: Sendable {
    let contentType: String
    private let bytes: [UInt8]
    /// Compressed before; for clients that take it.
    private let gzipped: [UInt8]?
    private let tag: EntityTag
    private let policy: String?

    init(_ bytes: [UInt8], _ contentType: String, gzipped: [UInt8]? = nil, policy: String? = nil) {
        self.bytes = bytes
        self.contentType = contentType
        self.gzipped = gzipped
        self.policy = policy
        tag = EntityTag(String(SHA256.digest(bytes).hex.prefix(20)))
    }

    /// For what is too long to be compressed anew for each reader.
    init(compressing bytes: [UInt8], _ contentType: String) {
        self.init(bytes, contentType, gzipped: Gzip.compress(bytes))
    }

    init(html: String, policy: String = Document.pagePolicy) {
        self.init(Array(html.utf8), "text/html; charset=utf-8", policy: policy)
    }

    /// Only what we serve ourselves, and no script inside a page.
    static let pagePolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        + "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

    func response(to call: Call) -> Response {
        if call.holds(tag) {
            var response = Response(status: 304)
            addFields(to: &response.headers, tag)
            return response
        }
        if let gzipped, call.request.headerBytes("accept-encoding", { AcceptEncoding($0).gzip > 0 }) == true {
            var response = Response(status: 200, body: .bytes(gzipped))
            addFields(to: &response.headers, tag.gzipped)
            response.headers.add("content-encoding", "gzip" as StaticString)
            response.headers.add("vary", "accept-encoding" as StaticString)
            return response
        }
        var response = Response(status: 200, body: .bytes(bytes))
        addFields(to: &response.headers, tag)
        // A shorter document is left to the server, which then says so itself.
        if gzipped != nil { response.headers.add("vary", "accept-encoding" as StaticString) }
        return response
    }

    private func addFields(to headers: inout ResponseHeaders, _ tag: EntityTag) {
        headers.add("content-type", contentType)
        headers.add("etag", tag.description)
        // A new release must show at once, and asking costs a 304.
        headers.add("cache-control", "public, no-cache" as StaticString)
        if let policy { headers.add("content-security-policy", policy) }
    }
}
