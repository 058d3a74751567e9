import Wire

/// One row of an answer.
public struct Row: Sendable {
    let rows: Rows
    public let index: Int

    /// The value of a column; a NULL or another type is an error unless `Value` is optional.
    public func get<Value: RowValue>(_ column: String, as type: Value.Type = Value.self) throws(DatabaseError)
        -> Value
    {
        guard let place = rows.shape.index(of: column) else {
            throw .undecodable("the answer has no column \"\(column)\"; it has \(rows.columns)")
        }
        return try read(place, column)
    }

    /// The value of the column at this place, counted from 0.
    public func get<Value: RowValue>(_ column: Int, as type: Value.Type = Value.self) throws(DatabaseError)
        -> Value
    {
        guard rows.columns.indices.contains(column) else {
            throw .undecodable("the answer has no column \(column)")
        }
        return try read(column, rows.columns[column])
    }

    public func isNull(_ column: String) -> Bool {
        rows.shape.index(of: column).map { rows.value(row: index, column: $0) == nil } ?? true
    }

    /// The row as a value of `type`, its columns read by their snake_case names.
    public func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws(DatabaseError) -> Value {
        try RowDecoder(row: self).decode(type)
    }

    public func writeJSON(into out: ByteWriter) { rows.writeJSON(row: index, into: out) }

    private func read<Value: RowValue>(_ place: Int, _ column: String) throws(DatabaseError) -> Value {
        let value = rows.value(row: index, column: place)
        guard let read = Value.read(value) else {
            let found = value.map { "a \($0.kind)" } ?? "NULL"
            throw .undecodable("column \"\(column)\" holds \(found), which is no \(Value.self)")
        }
        return read
    }
}

/// What a column can be read as.
public protocol RowValue {
    /// Nil when the value has no such form.
    static func read(_ value: ColumnValue?) -> Self?
}

/// A value of a result, read in place; nil where it has no such form.
public struct ColumnValue {
    let value: BinaryValue
    public var string: String? { value.string }
    public var integer: Int64? { value.integer }
    public var double: Double? { value.double }
    public var bool: Bool? { value.bool }
    public var uuid: UUID? { value.uuid }
    public var timestamp: Timestamp? { value.timestamp }
    public var date: LocalDate? { value.date }
    public var bytes: [UInt8]? { value.byteArray }
    public var json: String? { value.json.map { String(decoding: $0, as: UTF8.self) } }
    public var elements: [ColumnValue?]? { value.elements?.map { $0.map(ColumnValue.init) } }
}

extension RowValue {
    static func read(_ value: BinaryValue?) -> Self? { read(value.map(ColumnValue.init)) }
}

extension Bool: RowValue { public static func read(_ value: ColumnValue?) -> Bool? { value?.bool } }
extension Int: RowValue {
    public static func read(_ value: ColumnValue?) -> Int? { value?.integer.flatMap(Int.init(exactly:)) }
}
extension Int32: RowValue {
    public static func read(_ value: ColumnValue?) -> Int32? { value?.integer.flatMap(Int32.init(exactly:)) }
}
extension Int64: RowValue { public static func read(_ value: ColumnValue?) -> Int64? { value?.integer } }
extension Double: RowValue { public static func read(_ value: ColumnValue?) -> Double? { value?.double } }
extension String: RowValue { public static func read(_ value: ColumnValue?) -> String? { value?.string } }
extension UUID: RowValue { public static func read(_ value: ColumnValue?) -> UUID? { value?.uuid } }
extension Timestamp: RowValue {
    public static func read(_ value: ColumnValue?) -> Timestamp? { value?.timestamp }
}
extension LocalDate: RowValue { public static func read(_ value: ColumnValue?) -> LocalDate? { value?.date } }
extension UInt8: RowValue {
    public static func read(_ value: ColumnValue?) -> UInt8? { value?.integer.flatMap(UInt8.init(exactly:)) }
}

extension Optional: RowValue where Wrapped: RowValue {
    public static func read(_ value: ColumnValue?) -> Wrapped?? {
        guard let value else { return .some(nil) }
        return Wrapped.read(value).map { .some($0) }
    }
}

extension Array: RowValue where Element: RowValue {
    public static func read(_ value: ColumnValue?) -> [Element]? {
        if Element.self == UInt8.self { return value?.bytes as! [Element]? }
        guard let elements = value?.elements else { return nil }
        var read: [Element] = []
        read.reserveCapacity(elements.count)
        for element in elements {
            guard let item = Element.read(element) else { return nil }
            read.append(item)
        }
        return read
    }
}

extension RowValue where Self: RawRepresentable, RawValue: RowValue {
    public static func read(_ value: ColumnValue?) -> Self? {
        RawValue.read(value).flatMap(Self.init(rawValue:))
    }
}
