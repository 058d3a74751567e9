import Postgres
import Wire

/// The filters of a list, as a struct of optional properties, and what it may be sorted and searched by.
///
/// Each property is compared with the column of its name: a plain value by `=`, an array (`status=a,b`) by `= ANY`,
/// `Bounds` (`created_at[gte]=…`) by its comparisons. What needs another condition is named in `ownFields`, and the
/// handler puts it into its statement itself.
public protocol ListFilter: Decodable, Sendable {
    /// Columns one may sort by, never NULL; the first is the default, in the direction its sign says: `-created_at`.
    static var sorts: [String] { get }
    /// Columns `q` looks into; none when empty.
    static var search: [String] { get }
    static var ownFields: Set<String> { get }
}

extension ListFilter {
    public static var sorts: [String] { ["-created_at"] }
    public static var search: [String] { [] }
    public static var ownFields: Set<String> { [] }
}

/// For lists that have none.
public struct NoFilter: ListFilter {}

/// A range of values: `[gte]`, `[gt]`, `[lte]`, `[lt]`.
public struct Bounds<Value: Codable & Sendable>: Codable, Sendable {
    public var gte: Value?
    public var gt: Value?
    public var lte: Value?
    public var lt: Value?
}

public struct SortKey: Sendable, Equatable {
    public let column: String
    public let isDescending: Bool

    init(_ text: Substring) {
        isDescending = text.first == "-"
        column = String(isDescending ? text.dropFirst() : text)
    }

    var text: String { (isDescending ? "-" : "") + column }
}

public struct ListShape: Sendable {
    public let filter: ObjectSchema
    public let sorts: [SortKey]
    public let search: [String]
    let ownFields: Set<String>
}

/// Which page of a list is asked for: the same parameters on every list.
@dynamicMemberLookup
public struct List<Filter: ListFilter>: RouteInput {
    public let filter: Filter
    public let limit: Int
    public let sort: [SortKey]
    public let q: String?
    /// The only properties wanted; nil for all.
    public let fields: [String]?
    /// What is to be printed whole beside its id; nil for nothing.
    public let expand: [String]?
    public let wantsCount: Bool
    /// Sorted as the list is by itself.
    let hasOwnOrder: Bool
    let cursor: String?
    let filterJSON: JSON
    let shape: ListShape

    public subscript<Member>(dynamicMember path: KeyPath<Filter, Member>) -> Member { filter[keyPath: path] }

    public static func part() throws(Schema.ProbeError) -> InputPart {
        .list(
            ListShape(
                filter: try QueryShape.of(Filter.self), sorts: Filter.sorts.map { SortKey($0[...]) },
                search: Filter.search, ownFields: Filter.ownFields))
    }

    public static func read(_ reader: InputReader) -> List? {
        guard case .list(let shape) = reader.part() else { return nil }
        var pairs = QueryPairs(reader.call.request.query, reader)
        let limit = pairs.one("limit", reader).flatMap { ListParameters.limit($0, reader) }
        let cursor = pairs.one("cursor", reader)
        let sort = pairs.one("sort", reader).flatMap { ListParameters.sort($0, shape, reader) }
        let q =
            shape.search.isEmpty ? nil : pairs.one("q", reader).flatMap { ListParameters.search($0, reader) }
        let fields = pairs.one("fields", reader).map { $0.split(separator: ",").map(String.init) }
        let expand = pairs.one("expand", reader).map { $0.split(separator: ",").map(String.init) }
        let count = pairs.one("count", reader)
        if let count, count != "estimated" {
            reader.fault(.parameter("count", "not-one-of", "must be estimated"))
        }
        let json = pairs.json(for: shape.filter, reader)
        pairs.refuseTheRest(known: shape.filter.properties, also: ListParameters.names(for: shape), reader)
        guard reader.faults.isEmpty, let filter = try? json.decode(Filter.self) else { return nil }
        return List(
            filter: filter, limit: limit ?? InputLimits.pageDefault,
            sort: ListParameters.withTieBreaker(sort ?? [shape.sorts[0]]), q: q, fields: fields,
            expand: expand,
            wantsCount: count != nil, hasOwnOrder: sort == nil, cursor: cursor, filterJSON: json, shape: shape
        )
    }
}

enum ListParameters {
    static func names(for shape: ListShape) -> [String] {
        ["limit", "cursor", "sort", "fields", "expand", "count"] + (shape.search.isEmpty ? [] : ["q"])
    }

    static func limit(_ text: String, _ reader: InputReader) -> Int? {
        guard let limit = Int(text) else {
            reader.fault(Fault(.parameter("limit"), "wrong-type", "must be a whole number", isSyntax: true))
            return nil
        }
        guard (1...InputLimits.pageMax).contains(limit) else {
            reader.fault(.parameter("limit", "out-of-range", "must be between 1 and \(InputLimits.pageMax)"))
            return nil
        }
        return limit
    }

    static func sort(_ text: String, _ shape: ListShape, _ reader: InputReader) -> [SortKey]? {
        var keys: [SortKey] = []
        // A column named again orders nothing any more.
        for key in text.split(separator: ",").map(SortKey.init)
        where !keys.contains(where: { $0.column == key.column }) {
            keys.append(key)
        }
        let allowed = shape.sorts.map(\.column) + ["id"]
        for key in keys where !allowed.contains(key.column) {
            let near = NearMiss.hint(key.column, among: allowed)
            let names = allowed.joined(separator: ", ")
            reader.fault(
                .parameter("sort", "not-one-of", "must name \(names), each with - for falling order\(near)"))
            return nil
        }
        guard (1...3).contains(keys.count) else {
            reader.fault(.parameter("sort", "invalid", "must name one to three columns"))
            return nil
        }
        return keys
    }

    static func search(_ text: String, _ reader: InputReader) -> String? {
        guard text.unicodeScalars.count <= InputLimits.searchLengthMax, !text.utf8.contains(0) else {
            reader.fault(
                .parameter(
                    "q", "too-long", "may have \(InputLimits.searchLengthMax) characters, none of them NUL"))
            return nil
        }
        let trimmed = text.trimmed()
        return trimmed.isEmpty ? nil : trimmed
    }

    /// Ends the order in the id, so that no two rows are equal in it.
    static func withTieBreaker(_ keys: [SortKey]) -> [SortKey] {
        if let at = keys.firstIndex(where: { $0.column == "id" }) { return Array(keys[...at]) }
        return keys + [SortKey(keys.last!.isDescending ? "-id" : "id")]
    }
}

extension QueryPairs {
    fileprivate mutating func one(_ name: String, _ reader: InputReader) -> String? {
        let values = take(name)
        if values.count > 1 {
            reader.fault(Fault(.parameter(name), "repeated", "stands more than once", isSyntax: true))
        }
        return values.first
    }
}
