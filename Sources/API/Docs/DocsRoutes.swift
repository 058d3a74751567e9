import Crypto
import HTTP
import Synchronization
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
        let openAPI = openAPI
        let json = Document("application/json") { Array(openAPI.document.description.utf8) }
        let yaml = Document("application/yaml") { Array(openAPI.yaml.utf8) }
        return [
            route("/openapi.json", "The contract", json), route("/openapi.yaml", "The contract", yaml),
            route("/docs/errors", "Every problem the API answers with", Document(html: problems.html)),
        ]
            + (SwaggerUI(folder: configuration.docsFolder)?.documents ?? ReferencePage.documents).map {
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
    private let policy: String?
    private let content: Content

    init(_ bytes: [UInt8], _ contentType: String, gzipped: [UInt8]? = nil, policy: String? = nil) {
        self.contentType = contentType
        self.policy = policy
        content = Content { Content.Forms(bytes: bytes, gzipped: gzipped) }
    }

    /// Written, and compressed once for all readers, when the first asks for it: starting does not wait for it.
    init(_ contentType: String, _ write: @escaping @Sendable () -> [UInt8]) {
        self.contentType = contentType
        policy = nil
        content = Content {
            let bytes = write()
            return Content.Forms(bytes: bytes, gzipped: Gzip.compress(bytes))
        }
    }

    init(html: String, policy: String = Document.pagePolicy) {
        self.init(Array(html.utf8), "text/html; charset=utf-8", policy: policy)
    }

    /// Only what we serve ourselves, and no script inside a page.
    static let pagePolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        + "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

    func response(to call: Call) -> Response {
        let forms = content.forms
        let tag = forms.tag
        if call.holds(tag) {
            var response = Response(status: 304)
            addFields(to: &response.headers, tag)
            return response
        }
        var response: Response
        if let gzipped = forms.gzipped,
            call.request.headerBytes("accept-encoding", { AcceptEncoding($0).gzip > 0 }) == true
        {
            response = Response(status: 200, body: .bytes(gzipped))
            addFields(to: &response.headers, tag.gzipped)
            response.headers.add("content-encoding", "gzip" as StaticString)
        } else {
            response = Response(status: 200, body: .bytes(forms.bytes))
            addFields(to: &response.headers, tag)
        }
        // Without forms of our own the server compresses, and says so itself.
        if forms.gzipped != nil { response.headers.add("vary", "accept-encoding" as StaticString) }
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

/// The bytes of a document, made once.
private final class Content: Sendable {
    struct Forms: Sendable {
        let bytes: [UInt8]
        let gzipped: [UInt8]?
        let tag: EntityTag

        init(bytes: [UInt8], gzipped: [UInt8]?) {
            self.bytes = bytes
            self.gzipped = gzipped
            tag = EntityTag(String(SHA256.digest(bytes).hex.prefix(20)))
        }
    }

    private let make: @Sendable () -> Forms
    private let made = Mutex<Forms?>(nil)

    init(_ make: @escaping @Sendable () -> Forms) { self.make = make }

    var forms: Forms {
        made.withLock { made in
            if let made { return made }
            let forms = make()
            made = forms
            return forms
        }
    }
}
