import HTTP
import Postgres
import Wire

/// What a handler's answer looks like, for the declaration.
public struct OutputPart: Sendable {
    public enum Shape: Sendable {
        case empty
        case single(Schema)
        /// `{"data": […], "page": {…}}`
        case page(Schema)
        /// Other than JSON: of one of these types.
        case media([String])
    }

    public let status: Int
    public let shape: Shape
    /// The answer carries `Location`.
    public let hasLocation: Bool

    public init(status: Int, shape: Shape = .empty, hasLocation: Bool = false) {
        self.status = status
        self.shape = shape
        self.hasLocation = hasLocation
    }

    /// The schema of one item.
    public var item: Schema? {
        switch shape {
        case .single(let schema), .page(let schema): schema
        case .empty, .media: nil
        }
    }

    /// Answers of this shape carry an ETag made of the row's version.
    public var hasVersion: Bool {
        if case .single(let schema) = shape, case .object(let object) = schema.kind {
            object["version"] != nil
        } else {
            false
        }
    }
}

/// What a handler returns.
public protocol RouteOutput: Sendable {
    static func part() throws(Schema.ProbeError) -> OutputPart
    func response(to call: Call) throws -> Response
}

extension Response {
    static func json(_ status: Int, _ body: ByteWriter) -> Response {
        var response = Response(status: status, body: .buffer(body))
        response.headers.reserve(512)
        response.headers.add("content-type", "application/json" as StaticString)
        return response
    }
}
