import CLibPQ
import Synchronization

/// What the types that are not PostgreSQL's own are: enums are text, arrays of enums are arrays, the rest is refused.
final class TypeCatalogue: Sendable {
    enum Entry: Sendable {
        case kind(ColumnKind)
        case unreadable(String)
    }

    private let learnt = Mutex<[UInt32: Entry]>([:])

    func entry(of type: UInt32) -> Entry? {
        if let kind = ColumnKind.builtIn(type) { return .kind(kind) }
        return learnt.withLock { $0[type] }
    }

    func learn(_ type: UInt32, _ entry: Entry) { learnt.withLock { $0[type] = entry } }

    /// Asks the server what the types are.
    static func question(about types: [UInt32]) -> SQL {
        """
        SELECT t.oid, t.typname::text,
               CASE WHEN t.typtype = 'e' THEN 'enum' WHEN e.typtype = 'e' AND t.typcategory = 'A' THEN 'array' ELSE '' END
        FROM pg_type t LEFT JOIN pg_type e ON e.oid = t.typelem
        WHERE t.oid = ANY(\(types.map { Int64($0) })::oid[])
        """
    }

    func learn(from rows: Rows, about types: [UInt32]) throws(DatabaseError) {
        for row in rows {
            let type = UInt32(truncatingIfNeeded: try row.get(0, as: Int64.self))
            switch try row.get(2, as: String.self) {
            case "enum": learn(type, .kind(.text))
            case "array": learn(type, .kind(.array))
            default: learn(type, .unreadable(try row.get(1)))
            }
        }
        for type in types where entry(of: type) == nil { learn(type, .unreadable("type \(type)")) }
    }

    enum Reading {
        case shape(RowShape)
        case unknown([UInt32])
        case unreadable(DatabaseError)
    }

    /// The shape of a result, as far as its types are known.
    func read(_ result: OpaquePointer) -> Reading {
        let (names, types) = RowShape.describe(result)
        var kinds: [ColumnKind] = []
        var unknown: [UInt32] = []
        for (name, type) in zip(names, types) {
            switch entry(of: type) {
            case .kind(let kind): kinds.append(kind)
            case .unreadable(let found):
                return .unreadable(
                    .undecodable("column \"\(name)\" is of type \(found): cast it to text or jsonb"))
            case nil: unknown.append(type)
            }
        }
        return unknown.isEmpty
            ? .shape(RowShape(names: names, types: types, kinds: kinds)) : .unknown(unknown)
    }
}
