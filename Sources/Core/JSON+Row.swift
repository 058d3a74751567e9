import Postgres
import Wire

extension JSON {
    /// The row as an object, as the API would print it.
    public init(row: Row) throws {
        let out = ByteWriter(capacity: 1024)
        row.writeJSON(into: out)
        self = try JSON.parse(out.array)
    }

    /// Null for nil.
    public static func optional(_ text: String?) -> JSON { text.map(JSON.string) ?? .null }
    public static func id(_ id: UUID?) -> JSON { id.map { .string($0.description) } ?? .null }
}
