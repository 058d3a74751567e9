import Wire

/// What a value may be: read from a Swift type once, then used to check input, to print openapi.yaml and to make
/// examples, so that the three cannot disagree.
public struct Schema: Sendable {
    public indirect enum Kind: Sendable {
        case text(TextRule)
        case integer(IntegerRule)
        case number(minimum: Double?, maximum: Double?)
        case boolean
        case array(Schema, countMax: Int?)
        case object(ObjectSchema)
        /// Free keys, one kind of value.
        case map(Schema)
        case anything
    }

    public var kind: Kind
    public var isNullable = false
    public var note: String?
    public var example: JSON?

    public init(_ kind: Kind, note: String? = nil, example: JSON? = nil) {
        self.kind = kind
        self.note = note
        self.example = example
    }
}

public struct TextRule: Sendable {
    public var lengthMin: Int?
    public var lengthMax: Int?
    public var format: String?
    public var pattern: String?
    /// The only texts allowed.
    public var values: [String]?
    /// What the published limits cannot say: nil, or a sentence about what is wrong.
    public var check: (@Sendable (String) -> String?)?

    public init(
        length: ClosedRange<Int>? = nil, format: String? = nil, pattern: String? = nil,
        values: [String]? = nil,
        check: (@Sendable (String) -> String?)? = nil
    ) {
        lengthMin = length?.lowerBound
        lengthMax = length?.upperBound
        self.format = format
        self.pattern = pattern
        self.values = values
        self.check = check
    }
}

public struct IntegerRule: Sendable {
    public var minimum: Int64?
    public var maximum: Int64?
    public var format: String?

    public init(_ range: ClosedRange<Int64>? = nil, format: String? = nil) {
        minimum = range?.lowerBound
        maximum = range?.upperBound
        self.format = format
    }
}

public struct ObjectSchema: Sendable {
    public struct Property: Sendable {
        public let name: String
        public var schema: Schema
        public var isRequired: Bool
        /// Printed when `expand` asks for it.
        public var isExpansion = false
    }

    /// The Swift type's name, under which openapi.yaml lists the schema.
    public var name: String?
    /// The same with module and enclosing types, to tell two types of one name apart.
    public var fullName: String?
    public var properties: [Property]

    public init(name: String? = nil, fullName: String? = nil, properties: [Property] = []) {
        self.name = name
        self.fullName = fullName
        self.properties = properties
    }

    public subscript(name: String) -> Property? { properties.first { $0.name == name } }
}

/// What a type is probed for: the same struct promises different things on the way in and on the way out.
public enum SchemaRole: Hashable, Sendable {
    /// An optional property may be absent or null.
    case input
    /// Every property is present; an optional one may be null.
    case output
    /// RFC 7396: every optional property may be absent; null is for `Clearable` ones alone.
    case patch
}

/// A type that states its own schema, because its limits are part of it.
public protocol SchemaSource {
    static var schema: Schema { get }
    /// Any value of the type; handed to `init(from:)` of types that hold one while they are probed.
    static var sample: Self { get }
}

/// Sentences for the fields of a type, by their names on the wire: `["due_on": "The last day of work."]`.
public protocol FieldNotes {
    static var fieldNotes: [String: String] { get }
}

/// A property of a `Patch` that `null` empties: nil when absent, `.some(nil)` when null was sent.
public typealias Clearable<Value> = Value??

extension UUID: SchemaSource {
    public static var schema: Schema {
        Schema(
            .text(TextRule(format: "uuid", check: { UUID($0) == nil ? "is not a UUID" : nil })),
            example: "01939d2c-7f4e-7a61-9c0b-5f2f0d9b3c11")
    }
    public static var sample: UUID { .zero }
}

extension Timestamp: SchemaSource {
    public static var schema: Schema {
        Schema(
            .text(
                TextRule(
                    format: "date-time",
                    check: { Timestamp($0) == nil ? "is not a time like 2026-11-24T09:30:00Z" : nil })),
            example: "2026-11-24T09:30:00.000000Z")
    }
    public static var sample: Timestamp { Timestamp(seconds: 0) }
}

extension LocalDate: SchemaSource {
    public static var schema: Schema {
        Schema(
            .text(
                TextRule(
                    format: "date", check: { LocalDate($0) == nil ? "is not a day like 2026-11-24" : nil })),
            example: "2026-11-24")
    }
    public static var sample: LocalDate { LocalDate(daysSince1970: 0) }
}

extension JSON: SchemaSource {
    public static var schema: Schema { Schema(.anything) }
    public static var sample: JSON { .null }
}
