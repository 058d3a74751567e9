import Synchronization
import Wire

extension Schema {
    /// Why a type has no schema: a mistake of the programmer, told at start-up.
    public struct ProbeError: Error, CustomStringConvertible {
        public let description: String
    }

    /// The schema of a plain `Decodable` type, found by decoding one value of it from a decoder that takes notes.
    public static func of(_ type: (some Decodable).Type, as role: SchemaRole) throws(ProbeError) -> Schema {
        do {
            return try SchemaProbe(role: role).probe(type).schema
        } catch let error as ProbeError {
            throw error
        } catch {
            throw ProbeError(
                description: "\(type) cannot be probed: \(error). An enum wants CaseIterable; a type "
                    + "that checks what it decodes wants SchemaSource")
        }
    }
}

/// What has been found out of a type.
private struct Probed {
    let value: Any
    let schema: Schema
    /// The type is an `Optional`.
    var isOptional = false
    var isExpansion = false
}

/// Follows one type down to its leaves.
private final class SchemaProbe {
    var role: SchemaRole
    private var path: [ObjectIdentifier] = []

    private struct Key: Hashable {
        let type: ObjectIdentifier
        let role: SchemaRole
    }

    /// Most types are met again and again, and asking the runtime what a type conforms to searches the whole program.
    // @unchecked Sendable: what was found is never changed, and its value is only copied.
    private struct Known: @unchecked Sendable { var types: [Key: Probed] = [:] }
    private static let known = Mutex(Known())

    init(role: SchemaRole) { self.role = role }

    func probe<Value: Decodable>(_ type: Value.Type) throws -> Probed {
        let key = Key(type: ObjectIdentifier(type), role: role)
        if let found = Self.known.withLock({ $0.types[key] }) { return found }
        let found = try explore(type)
        Self.known.withLock { $0.types[key] = found }
        return found
    }

    private func explore<Value: Decodable>(_ type: Value.Type) throws -> Probed {
        if let source = Value.self as? any SchemaSource.Type {
            return Probed(value: source.sample, schema: source.schema)
        }
        let identity = ObjectIdentifier(type)
        guard !path.contains(identity) else {
            throw Schema.ProbeError(
                description: "\(type) contains itself; give it an end, or take JSON there")
        }
        path.append(identity)
        defer { path.removeLast() }
        let note = ProbeNote()
        let value: Value
        do {
            value = try Value(from: ProbeDecoder(probe: self, note: note))
        } catch let error as DecodingError {
            // An enum finds that what it was given is none of its cases.
            guard let (first, texts) = Self.texts(of: Value.self) else { throw error }
            return Probed(value: first, schema: Schema(.text(TextRule(values: texts))))
        }
        // A struct without properties asks for nothing.
        var schema = note.schema ?? Schema(.object(ObjectSchema()))
        switch schema.kind {
        case .text:
            if let (_, texts) = Self.texts(of: Value.self) { schema.kind = .text(TextRule(values: texts)) }
        case .array(let element, _):
            if let bounded = Value.self as? any BoundedArray.Type {
                schema.kind = .array(element, countMax: bounded.countMax)
            }
        case .object(var object) where !note.isOptional:
            object.name = _typeName(type, qualified: false)
            object.fullName = _typeName(type)
            if let notes = (Value.self as? any FieldNotes.Type)?.fieldNotes {
                for index in object.properties.indices {
                    if let note = notes[object.properties[index].name] {
                        object.properties[index].schema.note = note
                    }
                }
            }
            schema.kind = .object(object)
        case .object, .integer, .number, .boolean, .map, .anything: break
        }
        return Probed(
            value: value, schema: schema, isOptional: note.isOptional,
            isExpansion: !note.isOptional && note.isWrapped && Value.self is any AnyExpanded.Type)
    }

    private static func texts(of type: Any.Type) -> (first: Any, texts: [String])? {
        guard let type = type as? any CaseIterable.Type else { return nil }
        func all<Cases: CaseIterable>(_ type: Cases.Type) -> [Any] { Array(type.allCases) }
        let cases = all(type)
        let texts = cases.compactMap { ($0 as? any RawRepresentable)?.rawValue as? String }
        guard let first = cases.first, texts.count == cases.count else { return nil }
        return (first, texts)
    }

    func property(_ name: String, _ schema: Schema, isOptional: Bool) -> ObjectSchema.Property {
        var schema = schema
        switch role {
        case .input: if isOptional { schema.isNullable = true }
        case .output: if isOptional { schema.isNullable = true }
        // Nullable already when the type is `Clearable`.
        case .patch: break
        }
        return ObjectSchema.Property(name: name, schema: schema, isRequired: role == .output || !isOptional)
    }

    /// The elements of an array are replaced whole, also in a merge patch.
    func element<Value: Decodable>(_ type: Value.Type) throws -> Probed {
        let outer = role
        if role == .patch { role = .input }
        defer { role = outer }
        return try probe(type)
    }

    func scalar(_ type: Any.Type) -> Schema {
        switch type {
        case is Bool.Type: Schema(.boolean)
        case is String.Type:
            Schema(.text(TextRule(length: role == .output ? nil : 0...InputLimits.textLengthMax)))
        case is Double.Type, is Float.Type: Schema(.number(minimum: nil, maximum: nil))
        case is Int8.Type: Schema(.integer(IntegerRule(-128...127)))
        case is Int16.Type: Schema(.integer(IntegerRule(Int64(Int16.min)...Int64(Int16.max))))
        case is Int32.Type:
            Schema(.integer(IntegerRule(Int64(Int32.min)...Int64(Int32.max), format: "int32")))
        case is UInt8.Type: Schema(.integer(IntegerRule(0...255)))
        case is UInt16.Type: Schema(.integer(IntegerRule(0...Int64(UInt16.max))))
        case is UInt32.Type: Schema(.integer(IntegerRule(0...Int64(UInt32.max))))
        case is UInt.Type, is UInt64.Type:
            Schema(.integer(IntegerRule(0...InputLimits.safeInteger, format: "int64")))
        default:
            Schema(
                .integer(
                    IntegerRule(
                        role == .output ? nil : -InputLimits.safeInteger...InputLimits.safeInteger,
                        format: "int64")))
        }
    }
}

private final class ProbeNote {
    var schema: Schema?
    /// Nothing but an `Optional` asks whether there is null.
    var isOptional = false
    /// One value of another type is all it holds.
    var isWrapped = false
    var properties: [ObjectSchema.Property] = []

    func add(_ property: ObjectSchema.Property) {
        properties.append(property)
        schema = Schema(.object(ObjectSchema(properties: properties)))
    }
}

private struct ProbeDecoder: Decoder {
    let probe: SchemaProbe
    let note: ProbeNote
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
        if note.schema == nil { note.schema = Schema(.object(ObjectSchema())) }
        return KeyedDecodingContainer(ProbeKeyed<Key>(probe: probe, note: note))
    }
    func unkeyedContainer() -> any UnkeyedDecodingContainer { ProbeUnkeyed(probe: probe, note: note) }
    func singleValueContainer() -> any SingleValueDecodingContainer { ProbeSingle(probe: probe, note: note) }
}

private struct ProbeSingle: SingleValueDecodingContainer {
    let probe: SchemaProbe
    let note: ProbeNote
    var codingPath: [any CodingKey] { [] }

    private func scalar<Value>(_ type: Value.Type, _ value: Value) -> Value {
        note.schema = probe.scalar(type)
        return value
    }

    /// Asked by `Optional` alone, which then decodes what it wraps.
    func decodeNil() -> Bool {
        note.isOptional = true
        return false
    }
    func decode(_ type: Bool.Type) -> Bool { scalar(type, false) }
    func decode(_ type: String.Type) -> String { scalar(type, "") }
    func decode(_ type: Double.Type) -> Double { scalar(type, 0) }
    func decode(_ type: Float.Type) -> Float { scalar(type, 0) }
    func decode(_ type: Int.Type) -> Int { scalar(type, 0) }
    func decode(_ type: Int8.Type) -> Int8 { scalar(type, 0) }
    func decode(_ type: Int16.Type) -> Int16 { scalar(type, 0) }
    func decode(_ type: Int32.Type) -> Int32 { scalar(type, 0) }
    func decode(_ type: Int64.Type) -> Int64 { scalar(type, 0) }
    func decode(_ type: UInt.Type) -> UInt { scalar(type, 0) }
    func decode(_ type: UInt8.Type) -> UInt8 { scalar(type, 0) }
    func decode(_ type: UInt16.Type) -> UInt16 { scalar(type, 0) }
    func decode(_ type: UInt32.Type) -> UInt32 { scalar(type, 0) }
    func decode(_ type: UInt64.Type) -> UInt64 { scalar(type, 0) }
    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let found = try probe.probe(type)
        note.schema = found.schema
        note.isWrapped = true
        return found.value as! Value
    }
}

private struct ProbeKeyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let probe: SchemaProbe
    let note: ProbeNote
    var codingPath: [any CodingKey] { [] }

    private var isDictionary: Bool { DictionaryKeys.isDictionary(Key.self) }

    var allKeys: [Key] { isDictionary ? [Key(stringValue: "key")].compactMap { $0 } : [] }
    func contains(_ key: Key) -> Bool { true }
    func decodeNil(forKey key: Key) -> Bool { false }

    private func found(_ schema: Schema, _ key: Key, isOptional: Bool = false, isExpansion: Bool = false) {
        if isDictionary {
            note.schema = Schema(.map(schema))
        } else {
            var property = probe.property(SnakeCase.of(key.stringValue), schema, isOptional: isOptional)
            if isExpansion { (property.isExpansion, property.isRequired) = (true, false) }
            note.add(property)
        }
    }

    private func scalar<Value>(_ type: Value.Type, _ key: Key, _ value: Value) -> Value {
        found(probe.scalar(type), key)
        return value
    }

    private func optional<Value>(_ type: Value.Type, _ key: Key) -> Value? {
        found(probe.scalar(type), key, isOptional: true)
        return nil
    }

    func decode(_ type: Bool.Type, forKey key: Key) -> Bool { scalar(type, key, false) }
    func decode(_ type: String.Type, forKey key: Key) -> String { scalar(type, key, "") }
    func decode(_ type: Double.Type, forKey key: Key) -> Double { scalar(type, key, 0) }
    func decode(_ type: Float.Type, forKey key: Key) -> Float { scalar(type, key, 0) }
    func decode(_ type: Int.Type, forKey key: Key) -> Int { scalar(type, key, 0) }
    func decode(_ type: Int8.Type, forKey key: Key) -> Int8 { scalar(type, key, 0) }
    func decode(_ type: Int16.Type, forKey key: Key) -> Int16 { scalar(type, key, 0) }
    func decode(_ type: Int32.Type, forKey key: Key) -> Int32 { scalar(type, key, 0) }
    func decode(_ type: Int64.Type, forKey key: Key) -> Int64 { scalar(type, key, 0) }
    func decode(_ type: UInt.Type, forKey key: Key) -> UInt { scalar(type, key, 0) }
    func decode(_ type: UInt8.Type, forKey key: Key) -> UInt8 { scalar(type, key, 0) }
    func decode(_ type: UInt16.Type, forKey key: Key) -> UInt16 { scalar(type, key, 0) }
    func decode(_ type: UInt32.Type, forKey key: Key) -> UInt32 { scalar(type, key, 0) }
    func decode(_ type: UInt64.Type, forKey key: Key) -> UInt64 { scalar(type, key, 0) }
    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        let probed = try probe.probe(type)
        found(probed.schema, key)
        return probed.value as! Value
    }

    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) -> Bool? { optional(type, key) }
    func decodeIfPresent(_ type: String.Type, forKey key: Key) -> String? { optional(type, key) }
    func decodeIfPresent(_ type: Double.Type, forKey key: Key) -> Double? { optional(type, key) }
    func decodeIfPresent(_ type: Float.Type, forKey key: Key) -> Float? { optional(type, key) }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) -> Int? { optional(type, key) }
    func decodeIfPresent(_ type: Int8.Type, forKey key: Key) -> Int8? { optional(type, key) }
    func decodeIfPresent(_ type: Int16.Type, forKey key: Key) -> Int16? { optional(type, key) }
    func decodeIfPresent(_ type: Int32.Type, forKey key: Key) -> Int32? { optional(type, key) }
    func decodeIfPresent(_ type: Int64.Type, forKey key: Key) -> Int64? { optional(type, key) }
    func decodeIfPresent(_ type: UInt.Type, forKey key: Key) -> UInt? { optional(type, key) }
    func decodeIfPresent(_ type: UInt8.Type, forKey key: Key) -> UInt8? { optional(type, key) }
    func decodeIfPresent(_ type: UInt16.Type, forKey key: Key) -> UInt16? { optional(type, key) }
    func decodeIfPresent(_ type: UInt32.Type, forKey key: Key) -> UInt32? { optional(type, key) }
    func decodeIfPresent(_ type: UInt64.Type, forKey key: Key) -> UInt64? { optional(type, key) }
    func decodeIfPresent<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value? {
        let probed = try probe.probe(type)
        var schema = probed.schema
        if probed.isOptional { schema.isNullable = true }
        found(schema, key, isOptional: true, isExpansion: probed.isExpansion)
        return probed.value as? Value
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws
        -> KeyedDecodingContainer<Nested>
    { throw unusual }
    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { throw unusual }
    func superDecoder() throws -> any Decoder { throw unusual }
    func superDecoder(forKey key: Key) throws -> any Decoder { throw unusual }
}

private struct ProbeUnkeyed: UnkeyedDecodingContainer {
    let probe: SchemaProbe
    let note: ProbeNote
    var currentIndex = 0
    var codingPath: [any CodingKey] { [] }

    init(probe: SchemaProbe, note: ProbeNote) {
        self.probe = probe
        self.note = note
    }

    var count: Int? { 1 }
    var isAtEnd: Bool { currentIndex == 1 }

    mutating func decodeNil() -> Bool { false }
    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let probed = try probe.element(type)
        note.schema = Schema(
            .array(probed.schema, countMax: probe.role == .output ? nil : InputLimits.itemsMax))
        currentIndex = 1
        return probed.value as! Value
    }
    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws
        -> KeyedDecodingContainer<Nested>
    { throw unusual }
    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { throw unusual }
    mutating func superDecoder() throws -> any Decoder { throw unusual }
}

private var unusual: Schema.ProbeError {
    Schema.ProbeError(
        description: "a hand-written init(from:) asks for nested containers; such a type wants SchemaSource")
}
