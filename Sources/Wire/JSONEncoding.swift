extension ByteWriter {
    /// Prints a value as JSON; property names in snake_case, an absent optional property as `null`.
    public func writeJSON(_ value: some Encodable) throws {
        let sink = JSONSink(writer: self)
        try sink.write(value)
        sink.close(to: 0)
    }
}

extension JSON: Encodable {
    public init(encoding value: some Encodable) throws {
        let writer = ByteWriter()
        try writer.writeJSON(value)
        self = try JSON.parse(writer.bytes)
    }

    public func encode(to encoder: any Encoder) throws {
        if let encoder = encoder as? JSONEncoding {
            encoder.sink.value { $0.write(self) }
        } else {
            var container = encoder.singleValueContainer()
            try container.encode(description)
        }
    }
}

/// Where the pieces go: knows which containers stand open, and where a comma is due.
private final class JSONSink {
    let writer: ByteWriter
    private var open: [(end: UInt8, isEmpty: Bool)] = []

    init(writer: ByteWriter) { self.writer = writer }

    var depth: Int { open.count }

    func begin(_ start: UInt8, end: UInt8) -> Int {
        writer.write(start)
        open.append((end, true))
        return open.count
    }

    /// Ends what was opened deeper than `level`.
    func close(to level: Int) {
        while open.count > level { writer.write(open.removeLast().end) }
    }

    func separate(at level: Int) {
        close(to: level)
        if open[level - 1].isEmpty {
            open[level - 1].isEmpty = false
        } else {
            writer.write(UInt8(ascii: ","))
        }
    }

    func key(_ name: String, at level: Int) {
        separate(at: level)
        writer.writeJSONString(name)
        writer.write(UInt8(ascii: ":"))
    }

    func value(_ print: (ByteWriter) -> Void) { print(writer) }

    func write<Value: Encodable>(_ value: Value) throws {
        if let text = value as? String { return writer.writeJSONString(text) }
        if let id = value as? UUID { return quoted { $0.write(id) } }
        if let time = value as? Timestamp { return quoted { $0.write(time) } }
        let before = writer.count
        let level = depth
        try value.encode(to: JSONEncoding(sink: self))
        // A type that asked for no container has nothing to say, which JSON spells null.
        if writer.count == before { writer.write("null") }
        close(to: level)
    }

    private func quoted(_ print: (ByteWriter) -> Void) {
        writer.write(UInt8(ascii: "\""))
        print(writer)
        writer.write(UInt8(ascii: "\""))
    }
}

private struct JSONEncoding: Encoder, SingleValueEncodingContainer {
    let sink: JSONSink
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        let level = sink.begin(UInt8(ascii: "{"), end: UInt8(ascii: "}"))
        return KeyedEncodingContainer(KeyedJSON(sink: sink, level: level))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        UnkeyedJSON(sink: sink, level: sink.begin(UInt8(ascii: "["), end: UInt8(ascii: "]")))
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { self }

    func encodeNil() { sink.value { $0.write("null") } }
    func encode(_ value: Bool) { sink.value { $0.write(value ? "true" : "false") } }
    func encode(_ value: String) { sink.value { $0.writeJSONString(value) } }
    func encode(_ value: Double) throws {
        guard let number = JSON.Number(value) else {
            throw EncodingError.invalidValue(
                value, .init(codingPath: [], debugDescription: "JSON has no spelling for \(value)"))
        }
        sink.value { $0.write(number.text) }
    }
    func encode(_ value: Float) throws { try encode(Double(value)) }
    func encode(_ value: Int) { sink.value { $0.write(value) } }
    func encode(_ value: Int8) { sink.value { $0.write(value) } }
    func encode(_ value: Int16) { sink.value { $0.write(value) } }
    func encode(_ value: Int32) { sink.value { $0.write(value) } }
    func encode(_ value: Int64) { sink.value { $0.write(value) } }
    func encode(_ value: UInt) { sink.value { $0.write(value) } }
    func encode(_ value: UInt8) { sink.value { $0.write(value) } }
    func encode(_ value: UInt16) { sink.value { $0.write(value) } }
    func encode(_ value: UInt32) { sink.value { $0.write(value) } }
    func encode(_ value: UInt64) { sink.value { $0.write(value) } }
    func encode(_ value: some Encodable) throws { try sink.write(value) }
}

private struct KeyedJSON<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let sink: JSONSink
    let level: Int
    private let keysAreData: Bool
    var codingPath: [any CodingKey] { [] }

    init(sink: JSONSink, level: Int) {
        self.sink = sink
        self.level = level
        keysAreData = DictionaryKeys.isDictionary(Key.self)
    }

    private func begin(_ key: Key) -> JSONEncoding {
        sink.key(keysAreData ? key.stringValue : SnakeCase.of(key.stringValue), at: level)
        return JSONEncoding(sink: sink)
    }

    func encodeNil(forKey key: Key) { begin(key).encodeNil() }
    func encode(_ value: Bool, forKey key: Key) { begin(key).encode(value) }
    func encode(_ value: String, forKey key: Key) { begin(key).encode(value) }
    func encode(_ value: Double, forKey key: Key) throws { try begin(key).encode(value) }
    func encode(_ value: Float, forKey key: Key) throws { try begin(key).encode(value) }
    func encode(_ value: Int, forKey key: Key) { begin(key).encode(value) }
    func encode(_ value: Int8, forKey key: Key) { begin(key).encode(value) }
    func encode(_ value: Int16, forKey key: Key) { begin(key).encode(value) }
    func encode(_ value: Int32, forKey key: Key) { begin(key).encode(value) }
    func encode(_ value: Int64, forKey key: Key) { begin(key).encode(value) }
    func encode(_ value: UInt, forKey key: Key) { begin(key).encode(value) }
    func encode(_ value: UInt8, forKey key: Key) { begin(key).encode(value) }
    func encode(_ value: UInt16, forKey key: Key) { begin(key).encode(value) }
    func encode(_ value: UInt32, forKey key: Key) { begin(key).encode(value) }
    func encode(_ value: UInt64, forKey key: Key) { begin(key).encode(value) }
    func encode(_ value: some Encodable, forKey key: Key) throws { try begin(key).encode(value) }

    func encodeIfPresent(_ value: Bool?, forKey key: Key) throws { try orNull(value, key) }
    func encodeIfPresent(_ value: String?, forKey key: Key) throws { try orNull(value, key) }
    func encodeIfPresent(_ value: Double?, forKey key: Key) throws { try orNull(value, key) }
    func encodeIfPresent(_ value: Float?, forKey key: Key) throws { try orNull(value, key) }
    func encodeIfPresent(_ value: Int?, forKey key: Key) throws { try orNull(value, key) }
    func encodeIfPresent(_ value: Int8?, forKey key: Key) throws { try orNull(value, key) }
    func encodeIfPresent(_ value: Int16?, forKey key: Key) throws { try orNull(value, key) }
    func encodeIfPresent(_ value: Int32?, forKey key: Key) throws { try orNull(value, key) }
    func encodeIfPresent(_ value: Int64?, forKey key: Key) throws { try orNull(value, key) }
    func encodeIfPresent(_ value: UInt?, forKey key: Key) throws { try orNull(value, key) }
    func encodeIfPresent(_ value: UInt8?, forKey key: Key) throws { try orNull(value, key) }
    func encodeIfPresent(_ value: UInt16?, forKey key: Key) throws { try orNull(value, key) }
    func encodeIfPresent(_ value: UInt32?, forKey key: Key) throws { try orNull(value, key) }
    func encodeIfPresent(_ value: UInt64?, forKey key: Key) throws { try orNull(value, key) }
    func encodeIfPresent(_ value: (some Encodable)?, forKey key: Key) throws { try orNull(value, key) }

    private func orNull(_ value: (some Encodable)?, _ key: Key) throws {
        if let value { try encode(value, forKey: key) } else { encodeNil(forKey: key) }
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key)
        -> KeyedEncodingContainer<Nested>
    {
        begin(key).container(keyedBy: type)
    }
    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        begin(key).unkeyedContainer()
    }
    func superEncoder() -> any Encoder {
        sink.key("super", at: level)
        return JSONEncoding(sink: sink)
    }
    func superEncoder(forKey key: Key) -> any Encoder { begin(key) }
}

private struct UnkeyedJSON: UnkeyedEncodingContainer {
    let sink: JSONSink
    let level: Int
    var count = 0
    var codingPath: [any CodingKey] { [] }

    init(sink: JSONSink, level: Int) {
        self.sink = sink
        self.level = level
    }

    private mutating func begin() -> JSONEncoding {
        sink.separate(at: level)
        count += 1
        return JSONEncoding(sink: sink)
    }

    mutating func encodeNil() { begin().encodeNil() }
    mutating func encode(_ value: some Encodable) throws { try begin().encode(value) }
    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<
        Nested
    > {
        begin().container(keyedBy: type)
    }
    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { begin().unkeyedContainer() }
    mutating func superEncoder() -> any Encoder { begin() }
}
