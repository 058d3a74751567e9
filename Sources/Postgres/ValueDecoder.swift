import Wire

/// Reads one value of a row: a number, a text, an array, or whatever a JSON column holds.
struct ValueDecoder: Decoder {
    let value: BinaryValue
    /// Keeps the bytes of `value` alive.
    let rows: Rows
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func unwrap<Value: Decodable>(_ type: Value.Type) throws -> Value {
        if type == UUID.self { return try read(value.uuid, type) as! Value }
        if type == Timestamp.self { return try read(value.timestamp, type) as! Value }
        if type == LocalDate.self { return try read(value.date, type) as! Value }
        if type == String.self { return try read(value.string, type) as! Value }
        if let json = value.json {
            let parsed = try JSON.parse(json)
            return type == JSON.self ? parsed as! Value : try parsed.decode(type)
        }
        if type == [UInt8].self, let bytes = value.byteArray { return bytes as! Value }
        return try type.init(from: self)
    }

    private func read<Read>(_ read: Read?, _ type: Any.Type) throws -> Read {
        guard let read else { throw mismatch(type) }
        return read
    }

    private func mismatch(_ type: Any.Type) -> DecodingError {
        .typeMismatch(
            type, .init(codingPath: codingPath, debugDescription: "the column holds a \(value.kind)"))
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        throw mismatch([String: Any].self)
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard let elements = value.elements else { throw mismatch([Any].self) }
        return Elements(elements: elements, rows: rows, codingPath: codingPath)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { self }
}

extension ValueDecoder: SingleValueDecodingContainer {
    func decodeNil() -> Bool { false }
    func decode(_ type: Bool.Type) throws -> Bool { try read(value.bool, type) }
    func decode(_ type: String.Type) throws -> String { try read(value.string, type) }
    func decode(_ type: Double.Type) throws -> Double { try read(value.double, type) }
    func decode(_ type: Float.Type) throws -> Float { try Float(read(value.double, type)) }
    func decode(_ type: Int.Type) throws -> Int { try whole(type) }
    func decode(_ type: Int8.Type) throws -> Int8 { try whole(type) }
    func decode(_ type: Int16.Type) throws -> Int16 { try whole(type) }
    func decode(_ type: Int32.Type) throws -> Int32 { try whole(type) }
    func decode(_ type: Int64.Type) throws -> Int64 { try whole(type) }
    func decode(_ type: UInt.Type) throws -> UInt { try whole(type) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try whole(type) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try whole(type) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try whole(type) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try whole(type) }
    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try unwrap(type) }

    private func whole<Value: FixedWidthInteger>(_ type: Value.Type) throws -> Value {
        try read(value.integer.flatMap(Value.init(exactly:)), type)
    }
}

/// The elements of a PostgreSQL array, one after another.
private struct Elements: UnkeyedDecodingContainer {
    let elements: [BinaryValue?]
    let rows: Rows
    let codingPath: [any CodingKey]
    var currentIndex = 0

    var count: Int? { elements.count }
    var isAtEnd: Bool { currentIndex >= elements.count }

    mutating func decodeNil() throws -> Bool {
        guard !isAtEnd, elements[currentIndex] == nil else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        guard !isAtEnd, let element = elements[currentIndex] else {
            throw DecodingError.valueNotFound(
                type, .init(codingPath: codingPath, debugDescription: "no element \(currentIndex), or NULL"))
        }
        currentIndex += 1
        return try ValueDecoder(value: element, rows: rows, codingPath: codingPath).unwrap(type)
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> {
        throw DecodingError.typeMismatch(
            [String: Any].self,
            .init(codingPath: codingPath, debugDescription: "an element of an array is no object"))
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        throw DecodingError.typeMismatch(
            [Any].self,
            .init(codingPath: codingPath, debugDescription: "only arrays of one dimension are read"))
    }

    mutating func superDecoder() throws -> any Decoder {
        throw DecodingError.dataCorruptedError(in: self, debugDescription: "an element has no super")
    }
}
