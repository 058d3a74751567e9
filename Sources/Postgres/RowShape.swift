import CLibPQ
import Wire

/// The columns of a result: their names, how each is printed, and the `"key":` that stands before it.
// @unchecked Sendable: nothing changes after init.
final class RowShape: @unchecked Sendable {
    struct Column {
        let kind: ColumnKind
        let hasFixedBound: Bool
        let prefix: UnsafePointer<UInt8>
        let prefixLength: Int
    }

    let names: [String]
    let types: [UInt32]
    let columns: UnsafeMutablePointer<Column>
    /// The most bytes one row can take for its keys and its values of fixed size.
    let fixedBound: Int
    private let prefixes: UnsafeMutablePointer<UInt8>

    var count: Int { names.count }

    init(names: [String], types: [UInt32], kinds: [ColumnKind]) {
        self.names = names
        self.types = types
        let writer = ByteWriter()
        var ends: [Int] = []
        for name in names {
            writer.write(ends.isEmpty ? "{" : ",")
            writer.writeJSONString(name)
            writer.write(":")
            ends.append(writer.count)
        }
        let prefixes = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, writer.count))
        self.prefixes = prefixes
        columns = .allocate(capacity: max(1, names.count))
        writer.bytes.withMemoryRebound(to: UInt8.self) { bytes in
            if let base = bytes.baseAddress { prefixes.update(from: base, count: bytes.count) }
        }
        var start = 0
        for (index, end) in ends.enumerated() {
            (columns + index).initialize(
                to: Column(
                    kind: kinds[index], hasFixedBound: kinds[index].fixedBound != nil,
                    prefix: UnsafePointer(prefixes + start), prefixLength: end - start))
            start = end
        }
        fixedBound = writer.count + 2 + kinds.reduce(0) { $0 + ($1.fixedBound ?? 4) }
    }

    deinit {
        prefixes.deallocate()
        columns.deallocate()
    }

    /// The place of a column by its name.
    func index(of name: String) -> Int? { names.firstIndex(of: name) }

    /// The place of a column by the Swift name of a property (`ownerId` for `owner_id`).
    func place(of property: String) -> Int? { names.firstIndex { Self.isSame($0.utf8, property.utf8) } }

    private static func isSame(_ column: String.UTF8View, _ property: String.UTF8View) -> Bool {
        var rest = column.makeIterator()
        for (index, byte) in property.enumerated() {
            if byte >= UInt8(ascii: "A"), byte <= UInt8(ascii: "Z") {
                if index > 0, rest.next() != UInt8(ascii: "_") { return false }
                if rest.next() != byte | 0x20 { return false }
            } else if rest.next() != byte {
                return false
            }
        }
        return rest.next() == nil
    }
}

extension RowShape {
    /// The names and type numbers of a result.
    static func describe(_ result: OpaquePointer) -> (names: [String], types: [UInt32]) {
        let columns = 0..<PQnfields(result)
        return (
            columns.map { PQfname(result, $0).map { String(cString: $0) } ?? "" },
            columns.map { PQftype(result, $0) }
        )
    }

    /// Whether the result has these very types; the names cannot change under a prepared statement.
    func hasTypes(of result: OpaquePointer) -> Bool {
        guard PQnfields(result) == Int32(count) else { return false }
        for (column, type) in types.enumerated() where PQftype(result, Int32(column)) != type { return false }
        return true
    }
}
