extension JSON {
    /// The value as a Swift type; property names are looked for in snake_case.
    ///
    /// Throws `DecodingError`; `JSON.pointer(to:)` turns its path into a JSON Pointer.
    public func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
        try JSONValueDecoder(value: self, codingPath: []).unwrap(type)
    }

    /// RFC 6901 for a path of the decoder or the encoder.
    public static func pointer(to path: [any CodingKey]) -> String {
        path.reduce(into: "") {
            $0 += "/" + escapePointer($1.intValue.map(String.init) ?? SnakeCase.of($1.stringValue))
        }
    }

    /// One step of a JSON Pointer: `~` and `/` are written `~0` and `~1`.
    public static func escapePointer(_ step: String) -> String {
        guard step.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else {
            return step
        }
        return step.reduce(into: "") { out, character in
            switch character {
            case "~": out += "~0"
            case "/": out += "~1"
            default: out.append(character)
            }
        }
    }
}

extension JSON: Decodable {
    public init(from decoder: any Decoder) throws {
        if let decoder = decoder as? JSONValueDecoder {
            self = decoder.value
        } else {
            // Another decoder (a database row) hands over the text of the value.
            let container = try decoder.singleValueContainer()
            do {
                self = try JSON.parse(try container.decode(String.self))
            } catch let error as JSON.SyntaxError {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: error.description)
            }
        }
    }
}

struct JSONValueDecoder: Decoder {
    let value: JSON
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .object(let object) = value else { throw mismatch("an object") }
        return KeyedDecodingContainer(KeyedValues(object: object, codingPath: codingPath))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .array(let items) = value else { throw mismatch("an array") }
        return UnkeyedValues(items: items, codingPath: codingPath)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { self }

    func mismatch(_ wanted: String) -> DecodingError {
        .typeMismatch(
            JSON.self,
            .init(codingPath: codingPath, debugDescription: "must be \(wanted), is \(value.typeName)"))
    }

    func unwrap<Value: Decodable>(_ type: Value.Type) throws -> Value {
        if Value.self == JSON.self { return value as! Value }
        if Value.self == String.self { return try text() as! Value }
        return try Value(from: self)
    }

    func text() throws -> String {
        guard case .string(let text) = value else { throw mismatch("a string") }
        return text
    }

    func whole<Value: FixedWidthInteger>(_ type: Value.Type) throws -> Value {
        guard case .number(let number) = value, let whole = number.integer(as: type) else {
            throw mismatch("a whole number between \(Value.min) and \(Value.max)")
        }
        return whole
    }

    func real() throws -> Double {
        guard case .number(let number) = value, let real = number.double else { throw mismatch("a number") }
        return real
    }
}

extension JSONValueDecoder: SingleValueDecodingContainer {
    func decodeNil() -> Bool { value == .null }
    func decode(_ type: Bool.Type) throws -> Bool {
        guard case .bool(let value) = value else { throw mismatch("true or false") }
        return value
    }
    func decode(_ type: String.Type) throws -> String { try text() }
    func decode(_ type: Double.Type) throws -> Double { try real() }
    func decode(_ type: Float.Type) throws -> Float { Float(try real()) }
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
}

private struct KeyedValues<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let object: JSON.Object
    let codingPath: [any CodingKey]
    private let keysAreData: Bool

    init(object: JSON.Object, codingPath: [any CodingKey]) {
        self.object = object
        self.codingPath = codingPath
        keysAreData = DictionaryKeys.isDictionary(Key.self)
    }

    var allKeys: [Key] { object.members.compactMap { Key(stringValue: $0.key) } }

    private func name(_ key: Key) -> String { keysAreData ? key.stringValue : SnakeCase.of(key.stringValue) }

    private func decoder(_ key: some CodingKey, _ value: JSON) -> JSONValueDecoder {
        JSONValueDecoder(value: value, codingPath: codingPath + [key])
    }

    private func member(_ key: Key) throws -> JSONValueDecoder {
        guard let value = object[name(key)] else {
            throw DecodingError.keyNotFound(
                key, .init(codingPath: codingPath + [key], debugDescription: "is missing"))
        }
        return decoder(key, value)
    }

    func contains(_ key: Key) -> Bool { object[name(key)] != nil }
    func decodeNil(forKey key: Key) throws -> Bool { object[name(key)].map { $0 == .null } ?? true }

    /// Tells an absent member from `null` where the type can hold both: `T??` is nil when absent, `.some(nil)` for null.
    func decodeIfPresent<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value? {
        guard let value = object[name(key)] else { return nil }
        if value == .null, !(Value.self is any AnyOptional.Type) { return nil }
        return try decoder(key, value).unwrap(type)
    }

    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try member(key).decode(type) }
    func decode(_ type: String.Type, forKey key: Key) throws -> String { try member(key).decode(type) }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try member(key).decode(type) }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float { try member(key).decode(type) }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try member(key).decode(type) }
    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try member(key).decode(type) }
    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try member(key).decode(type) }
    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try member(key).decode(type) }
    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try member(key).decode(type) }
    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try member(key).decode(type) }
    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try member(key).decode(type) }
    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try member(key).decode(type) }
    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try member(key).decode(type) }
    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try member(key).decode(type) }
    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        try member(key).unwrap(type)
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws
        -> KeyedDecodingContainer<Nested>
    { try member(key).container(keyedBy: type) }
    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try member(key).unkeyedContainer()
    }
    func superDecoder() throws -> any Decoder { decoder(IndexKey("super"), object["super"] ?? .null) }
    func superDecoder(forKey key: Key) throws -> any Decoder { try member(key) }
}

private struct UnkeyedValues: UnkeyedDecodingContainer {
    let items: [JSON]
    let codingPath: [any CodingKey]
    var currentIndex = 0

    init(items: [JSON], codingPath: [any CodingKey]) {
        self.items = items
        self.codingPath = codingPath
    }

    var count: Int? { items.count }
    var isAtEnd: Bool { currentIndex == items.count }

    private mutating func next() throws -> JSONValueDecoder {
        let path = codingPath + [IndexKey(currentIndex)]
        guard !isAtEnd else {
            throw DecodingError.valueNotFound(
                JSON.self, .init(codingPath: path, debugDescription: "is missing"))
        }
        defer { currentIndex += 1 }
        return JSONValueDecoder(value: items[currentIndex], codingPath: path)
    }

    mutating func decodeNil() throws -> Bool {
        guard !isAtEnd, items[currentIndex] == .null else { return false }
        currentIndex += 1
        return true
    }
    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try next().unwrap(type) }
    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws
        -> KeyedDecodingContainer<Nested>
    { try next().container(keyedBy: type) }
    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try next().unkeyedContainer()
    }
    mutating func superDecoder() throws -> any Decoder { try next() }
}

/// Any `Optional`, so that code can ask whether a generic type is one.
public protocol AnyOptional {
    static var wrappedType: Any.Type { get }
}

extension Optional: AnyOptional {
    public static var wrappedType: Any.Type { Wrapped.self }
}

/// A step into an array.
struct IndexKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(_ index: Int) { (stringValue, intValue) = (String(index), index) }
    init(_ name: String) { (stringValue, intValue) = (name, nil) }
    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { self.init(intValue) }
}

/// Tells the keys of a `[String: Value]`, which are data and keep their spelling, from the names of properties.
public enum DictionaryKeys {
    public static func isDictionary(_ type: (some CodingKey).Type) -> Bool { ObjectIdentifier(type) == key }

    // The standard library keeps the type to itself, so a dictionary is asked for it once.
    private static let key: ObjectIdentifier? = {
        let spy = Spy()
        _ = try? [String: Int](from: spy)
        return spy.seen
    }()

    private final class Spy: Decoder {
        var seen: ObjectIdentifier?
        var codingPath: [any CodingKey] { [] }
        var userInfo: [CodingUserInfoKey: Any] { [:] }

        func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
            seen = ObjectIdentifier(type)
            throw CancellationError()
        }
        func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw CancellationError() }
        func singleValueContainer() throws -> any SingleValueDecodingContainer { throw CancellationError() }
    }
}
