import Wire

/// Reads a row into a `Decodable` value: its properties are columns, by their names in snake_case.
struct RowDecoder: Decoder {
    let row: Row
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func decode<Value: Decodable>(_ type: Value.Type) throws(DatabaseError) -> Value {
        do {
            // A row of one column may be read as the bare value.
            if row.rows.shape.count == 1, isBare(type) {
                guard let value = row.rows.value(row: row.index, column: 0) else {
                    throw DecodingError.valueNotFound(
                        type, .init(codingPath: [], debugDescription: "is NULL"))
                }
                return try ValueDecoder(value: value, rows: row.rows, codingPath: []).unwrap(type)
            }
            return try type.init(from: self)
        } catch let error as DecodingError {
            throw .undecodable("\(type) from columns \(row.rows.columns): \(error)")
        } catch {
            throw .undecodable("\(type) from columns \(row.rows.columns): \(error)")
        }
    }

    private func isBare(_ type: Any.Type) -> Bool { type is any RowValue.Type || type == JSON.self }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(Columns(row: row))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        throw DecodingError.typeMismatch(
            Row.self, .init(codingPath: [], debugDescription: "a row is no array"))
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        throw DecodingError.typeMismatch(
            Row.self, .init(codingPath: [], debugDescription: "a row is no single value"))
    }
}

extension Rows {
    /// All rows as values of `type`.
    public func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws(DatabaseError) -> [Value] {
        var values: [Value] = []
        values.reserveCapacity(count)
        for row in self { values.append(try row.decode(type)) }
        return values
    }
}

private struct Columns<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let row: Row
    var codingPath: [any CodingKey] { [] }
    var allKeys: [Key] { row.rows.columns.compactMap(Key.init(stringValue:)) }

    private func place(_ key: Key) -> Int? { row.rows.shape.place(of: key.stringValue) }

    func contains(_ key: Key) -> Bool { place(key) != nil }

    func decodeNil(forKey key: Key) throws -> Bool { try value(key) == nil }

    private func value(_ key: Key) throws -> BinaryValue? {
        guard let place = place(key) else {
            throw DecodingError.keyNotFound(key, .init(codingPath: [key], debugDescription: "no such column"))
        }
        return row.rows.value(row: row.index, column: place)
    }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        guard let value = try value(key) else {
            throw DecodingError.valueNotFound(type, .init(codingPath: [key], debugDescription: "is NULL"))
        }
        return try ValueDecoder(value: value, rows: row.rows, codingPath: [key]).unwrap(type)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try decode(Captured.self, forKey: key).decoder.container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try decode(Captured.self, forKey: key).decoder.unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { RowDecoder(row: row) }
    func superDecoder(forKey key: Key) throws -> any Decoder { RowDecoder(row: row) }
}

/// Keeps the decoder it is given, to read a value in two steps.
private struct Captured: Decodable {
    let decoder: any Decoder
    init(from decoder: any Decoder) { self.decoder = decoder }
}
