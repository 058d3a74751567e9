import Postgres
import Wire

extension JSON {
    /// The row as an object, as the API would print it.
    public init(row: Row) throws {
        let out = ByteWriter(capacity: 1024)
        row.writeJSON(into: out)
        self = try JSON.parse(out.array)
    }
}
