import HTTP
import Postgres
import Wire

/// One page of a list, printed straight from its rows: `{"data": […], "page": {"next_cursor", "has_more"}}`.
public struct Page<Item: Decodable & Sendable>: RouteOutput, Sendable {
    let rows: Rows
    let limit: Int
    /// Columns at the end of each row that are not printed.
    let hiddenColumns: Int
    let nextCursor: String?
    let total: Int?

    /// All rows as the only page: for lists that are short by their nature.
    public init(all rows: Rows) {
        self.init(rows: rows, limit: rows.count, hiddenColumns: 0, nextCursor: nil, total: nil)
    }

    init(rows: Rows, limit: Int, hiddenColumns: Int, nextCursor: String?, total: Int?) {
        self.rows = rows
        self.limit = limit
        self.hiddenColumns = hiddenColumns
        self.nextCursor = nextCursor
        self.total = total
    }

    public static func part() throws(Schema.ProbeError) -> OutputPart {
        OutputPart(status: 200, shape: .page(try Schema.of(Item.self, as: .output)))
    }

    public func response(to call: Call) -> Response {
        let out = ByteWriter(capacity: 16 << 10)
        out.write(#"{"data":"#)
        rows.writeJSONArray(into: out, limit: limit, hiddenColumns: hiddenColumns)
        out.write(#","page":{"next_cursor":"#)
        if let nextCursor { out.writeJSONString(nextCursor) } else { out.write("null") }
        out.write(nextCursor == nil ? #","has_more":false"# : #","has_more":true"#)
        if let total {
            out.write(#","estimated_total":"#)
            out.write(total)
        }
        out.write("}}")
        // Weak, for it says that the content is the same, not that a version may be changed by it.
        let tag = EntityTag(ContentDigest.hex(of: out.bytes), isWeak: true)
        guard !call.request.method.isSafe || !call.holds(tag) else {
            var unchanged = Response(status: 304)
            unchanged.headers.add("etag", tag.description)
            return unchanged
        }
        var response = Response.json(200, out)
        if call.request.method.isSafe { response.headers.add("etag", tag.description) }
        if let nextCursor { response.headers.add("link", call.nextLink(nextCursor)) }
        return response
    }
}
