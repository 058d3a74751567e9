import HTTP
import Postgres
import Wire

/// One thing as JSON, printed straight from its row or from a value. A row's `version` becomes the ETag.
public struct Single<Value: Decodable & Sendable>: RouteOutput, Sendable {
    private let content: ItemContent
    private let versionIsWhole: Bool

    /// The first row; none is 404.
    /// - Parameter versionIsWhole: false where something of the answer changes without the row's version: it is an ETag to
    ///   change by, and the answer is never 304.
    public init(_ rows: Rows, versionIsWhole: Bool = true) throws(Problem) {
        guard rows.count > 0 else { throw .notFound }
        content = .row(rows)
        self.versionIsWhole = versionIsWhole
    }

    public init(_ value: Value, version: Int64? = nil) where Value: Encodable {
        content = .value(value, version)
        versionIsWhole = true
    }

    public static func part() throws(Schema.ProbeError) -> OutputPart {
        OutputPart(status: 200, shape: .single(try Schema.of(Value.self, as: .output)))
    }

    public func response(to call: Call) throws -> Response {
        try content.response(200, to: call, mayBeUnchanged: versionIsWhole)
    }
}

/// A new thing: 201 with its place in `Location`.
public struct Created<Value: Decodable & Sendable>: RouteOutput, Sendable {
    private let content: ItemContent
    private let location: String?

    /// - Parameter location: its path; without it the route's own path and the row's id.
    public init(_ rows: Rows, at location: String? = nil) throws(Problem) {
        guard rows.count > 0 else { throw .notFound }
        content = .row(rows)
        self.location = location
    }

    public init(_ value: Value, version: Int64? = nil, at location: String) where Value: Encodable {
        content = .value(value, version)
        self.location = location
    }

    public static func part() throws(Schema.ProbeError) -> OutputPart {
        OutputPart(status: 201, shape: .single(try Schema.of(Value.self, as: .output)), hasLocation: true)
    }

    public func response(to call: Call) throws -> Response {
        var response = try content.response(201, to: call)
        if let location = location ?? content.id.map({ "\(call.request.path)/\($0)" }) {
            response.headers.add("location", location)
        }
        return response
    }
}

/// Work that has been taken on and goes on behind the answer: 202.
public struct Accepted<Value: Decodable & Sendable>: RouteOutput, Sendable {
    private let content: ItemContent
    private let location: String?

    public init(_ value: Value, at location: String? = nil) where Value: Encodable {
        content = .value(value, nil)
        self.location = location
    }

    public init(_ rows: Rows, at location: String? = nil) throws(Problem) {
        guard rows.count > 0 else { throw .notFound }
        content = .row(rows)
        self.location = location
    }

    public static func part() throws(Schema.ProbeError) -> OutputPart {
        OutputPart(status: 202, shape: .single(try Schema.of(Value.self, as: .output)))
    }

    public func response(to call: Call) throws -> Response {
        var response = try content.response(202, to: call)
        if let location { response.headers.add("location", location) }
        return response
    }
}

/// A row that is printed, or a value that is encoded.
enum ItemContent: Sendable {
    case row(Rows)
    case value(any Encodable & Sendable, Int64?)

    var id: UUID? {
        guard case .row(let rows) = self, let row = rows.first else { return nil }
        return try? row.get("id", as: UUID.self)
    }

    private var version: Int64? {
        switch self {
        case .row(let rows):
            rows.columns.contains("version") ? try? rows.first?.get("version", as: Int64.self) : nil
        case .value(_, let version): version
        }
    }

    func response(_ status: Int, to call: Call, mayBeUnchanged: Bool = false) throws -> Response {
        let version = version
        if let version, mayBeUnchanged, call.request.method.isSafe, call.holds(EntityTag(version: version)) {
            var response = Response(status: 304)
            response.headers.add("etag", EntityTag(version: version).description)
            return response
        }
        let out = ByteWriter(capacity: 1024)
        switch self {
        case .row(let rows): rows.writeJSON(row: 0, into: out)
        case .value(let value, _): try out.writeJSON(value)
        }
        var response = Response.json(status, out)
        if let version { response.headers.add("etag", EntityTag(version: version).description) }
        return response
    }
}
