import CLibPQ
import Wire

/// The answer to one statement. It keeps libpq's memory as it is and reads or prints straight from there.
// @unchecked Sendable: a finished PGresult is never written again, and libpq's readers of it only read.
public final class Rows: @unchecked Sendable {
    let result: OpaquePointer
    let shape: RowShape
    public let count: Int

    init(owning result: OpaquePointer, shape: RowShape) {
        self.result = result
        self.shape = shape
        count = Int(PQntuples(result))
    }

    deinit { PQclear(result) }

    public var isEmpty: Bool { count == 0 }
    public var columns: [String] { shape.names }

    /// How many rows the statement wrote, or gave when it only read.
    public var affected: Int { Int(String(cString: PQcmdTuples(result))) ?? 0 }

    /// What the server calls what it did, as `INSERT 0 1`.
    public var commandTag: String { String(cString: PQcmdStatus(result)) }

    public subscript(row: Int) -> Row {
        precondition(row >= 0 && row < count, "there is no row \(row) among \(count)")
        return Row(rows: self, index: row)
    }

    public var first: Row? { isEmpty ? nil : Row(rows: self, index: 0) }

    func value(row: Int, column: Int) -> BinaryValue? {
        let (row, column) = (Int32(row), Int32(column))
        let length = Int(PQgetlength(result, row, column))
        if length == 0, PQgetisnull(result, row, column) != 0 { return nil }
        let bytes = UnsafeRawPointer(PQgetvalue(result, row, column)!).assumingMemoryBound(to: UInt8.self)
        return BinaryValue(
            bytes: bytes, length: length, type: shape.types[Int(column)],
            kind: shape.columns[Int(column)].kind)
    }
}

extension Rows: RandomAccessCollection {
    public var startIndex: Int { 0 }
    public var endIndex: Int { count }
}

extension Rows {
    /// Prints one row as a JSON object, its columns as keys; the last `hiddenColumns` are left out.
    public func writeJSON(row: Int, into out: ByteWriter, hiddenColumns: Int = 0) {
        precondition(row >= 0 && row < count, "there is no row \(row) among \(count)")
        withCells(hiddenColumns) { print(row: Int32(row), $0, into: out) }
    }

    /// Prints the rows, at most `limit` of them and without their last `hiddenColumns`, as a JSON array of objects.
    public func writeJSONArray(into out: ByteWriter, limit: Int = .max, hiddenColumns: Int = 0) {
        out.write(UInt8(ascii: "["))
        withCells(hiddenColumns) { cells in
            for row in 0..<Swift.min(count, limit) {
                if row > 0 { out.write(UInt8(ascii: ",")) }
                print(row: Int32(truncatingIfNeeded: row), cells, into: out)
            }
        }
        out.write(UInt8(ascii: "]"))
    }

    /// Prints one value as it stands in the object.
    public func writeJSON(row: Int, column: Int, into out: ByteWriter) {
        guard let value = value(row: row, column: column) else { return out.write("null") }
        out.fill(JSONPrinter.bound(value.kind, value.bytes, value.length)) { room in
            let start = room.baseAddress!.assumingMemoryBound(to: UInt8.self)
            return JSONPrinter.print(value.kind, value.bytes, value.length, at: start) - start
        }
    }

    /// Where one value lies; a NULL has no bytes.
    private struct Cell {
        let bytes: UnsafePointer<UInt8>?
        let length: Int
    }

    /// Room for the places of a row's values, so that libpq is asked for each of them once.
    private func withCells(_ hiddenColumns: Int, _ body: (UnsafeMutableBufferPointer<Cell>) -> Void) {
        withUnsafeTemporaryAllocation(of: Cell.self, capacity: shape.count - hiddenColumns, body)
    }

    private func print(row: Int32, _ cells: UnsafeMutableBufferPointer<Cell>, into out: ByteWriter) {
        out.fill(find(row, cells)) { room in
            let start = room.baseAddress!.assumingMemoryBound(to: UInt8.self)
            return print(cells, at: start) - start
        }
    }

    /// Looks up the row's values; gives the most bytes they can take.
    private func find(_ row: Int32, _ cells: UnsafeMutableBufferPointer<Cell>) -> Int {
        var bound = shape.fixedBound
        for index in 0..<cells.count {
            let column = Int32(truncatingIfNeeded: index)
            let length = Int(PQgetlength(result, row, column))
            // NULL has no length; asking only then saves a call for nearly every value.
            if length == 0, PQgetisnull(result, row, column) != 0 {
                cells.initializeElement(at: index, to: Cell(bytes: nil, length: 0))
                continue
            }
            let bytes = UnsafeRawPointer(PQgetvalue(result, row, column)!).assumingMemoryBound(to: UInt8.self)
            cells.initializeElement(at: index, to: Cell(bytes: bytes, length: length))
            let known = shape.columns[index]
            if !known.hasFixedBound { bound &+= JSONPrinter.bound(known.kind, bytes, length) }
        }
        return bound
    }

    private func print(
        _ cells: UnsafeMutableBufferPointer<Cell>, at start: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        var out = start
        let columns = shape.columns
        for index in 0..<cells.count {
            let column = columns[index]
            out = JSONPrinter.copy(column.prefix, column.prefixLength, at: out)
            let cell = cells[index]
            if let bytes = cell.bytes {
                out = JSONPrinter.print(column.kind, bytes, cell.length, at: out)
            } else {
                out = JSONPrinter.literal("null", at: out)
            }
        }
        if cells.isEmpty { out = JSONPrinter.put("{", at: out) }
        return JSONPrinter.put("}", at: out)
    }
}
