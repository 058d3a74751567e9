import Postgres
import Synchronization

/// What stands around a list's own statement, and where its columns are. The one most asked for, with all fields in the
/// list's own order, is made once.
final class ListFrame: Sendable {
    /// `SELECT …`: the item's own columns.
    let head: String
    /// What `expand` asked for, each a column behind those.
    let expanded: SQL
    /// ` FROM (`, with the hidden columns in front.
    let from: String
    /// ` ORDER BY … LIMIT `
    let order: String
    /// Columns at the end that are there for the cursor and are not printed.
    let hiddenColumns: Int
    /// Where the columns of the order are among those selected.
    let sortPlaces: [Int]

    private init(columns shown: [String], sort: [SortKey], expansions: [(name: String, sql: SQL)] = []) {
        let hidden = sort.map(\.column).filter { !shown.contains($0) }
        let all = shown + expansions.map(\.name) + hidden
        let keys = sort.map { "row.\(ListSQL.quoted($0.column))\($0.isDescending ? " DESC" : "")" }
        head = "SELECT " + shown.map { "row.\(ListSQL.quoted($0))" }.joined(separator: ", ")
        expanded = expansions.map {
            ", (\(fragment: $0.sql)) AS \(unescaped: ListSQL.quoted($0.name))" as SQL
        }
        .joined(separator: "")
        from = hidden.map { ", row.\(ListSQL.quoted($0))" }.joined() + " FROM ("
        order = " ORDER BY \(keys.joined(separator: ", ")) LIMIT "
        hiddenColumns = hidden.count
        sortPlaces = sort.compactMap { all.lastIndex(of: $0.column) }
    }

    static func of<Item: Decodable, Filter>(_ item: Item.Type, _ list: List<Filter>, for call: Call) throws
        -> ListFrame
    {
        guard list.fields == nil, list.expand == nil, list.hasOwnOrder else {
            let expansions = try list.expand.map { try call.expansions($0, of: item) } ?? []
            return ListFrame(
                columns: try columns(of: item, wanted: list.fields), sort: list.sort, expansions: expansions)
        }
        let key = Key(item: ObjectIdentifier(item), filter: ObjectIdentifier(Filter.self))
        if let known = known.withLock({ $0[key] }) { return known }
        let made = ListFrame(columns: try columns(of: item, wanted: nil), sort: list.sort)
        known.withLock { $0[key] = made }
        return made
    }

    /// The one row of `base` with what `expand` asked for.
    static func single<Item: Decodable>(_ item: Item.Type, _ names: [String], of base: SQL, for call: Call)
        throws -> SQL
    {
        let frame = ListFrame(
            columns: try columns(of: item, wanted: nil), sort: [],
            expansions: try call.expansions(names, of: item))
        return
            "\(unescaped: frame.head)\(fragment: frame.expanded)\(unescaped: frame.from)\(fragment: base)) AS row"
    }

    private struct Key: Hashable {
        let item: ObjectIdentifier
        let filter: ObjectIdentifier
    }

    private static let known = Mutex<[Key: ListFrame]>([:])

    /// The columns to print, in the order of the type's properties.
    private static func columns<Item: Decodable>(of type: Item.Type, wanted: [String]?) throws -> [String] {
        guard case .object(let shape) = try Schema.of(type, as: .output).kind else {
            throw WiringFault("\(type) is listed, so it must be a struct")
        }
        let all = shape.properties.filter { !$0.isExpansion }.map(\.name)
        guard let wanted else { return all }
        for name in wanted where !all.contains(name) {
            let near = NearMiss.hint(name, among: all)
            throw Problem.faulty([
                .parameter("fields", "not-one-of", "\"\(name.prefix(60))\" is no field of this list\(near)")
            ])
        }
        if wanted.isEmpty {
            throw Problem.faulty([.parameter("fields", "invalid", "must name at least one field")])
        }
        return all.filter(wanted.contains)
    }
}
