import Wire

/// A number with bounds of its own.
public protocol NumberValue: Codable, Hashable, Sendable, SchemaSource {
    associatedtype Number: Codable & Hashable & Sendable
    var value: Number { get }
    init(unchecked value: Number)
}

extension NumberValue {
    /// Nil when the number is out of bounds.
    public init?(_ value: Number) {
        guard let json = try? JSON(encoding: value), Self.schema.faults(in: json).isEmpty else { return nil }
        self.init(unchecked: value)
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let number = try container.decode(Number.self)
        guard let value = Self(number) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "\(number) is out of bounds")
        }
        self = value
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }
}

/// Money in the smallest unit of its currency, never negative.
public struct Cents: NumberValue {
    public let value: Int64
    public init(unchecked value: Int64) { self.value = value }

    /// Ten thousand million: beyond any invoice, and sums of a million of them still fit.
    public static let max: Int64 = 999_999_999_999
    public static var schema: Schema {
        Schema(.integer(IntegerRule(0...max, format: "int64")), example: 125_000)
    }
    public static var sample: Cents { Cents(unchecked: 125_000) }
}

/// A share of a hundred, with at most two decimals.
public struct Percent: NumberValue {
    public let value: Double
    public init(unchecked value: Double) { self.value = value }

    public static var schema: Schema { Schema(.number(minimum: 0, maximum: 100), example: 12.5) }
    public static var sample: Percent { Percent(unchecked: 12.5) }
}

/// A whole number between two bounds, both included.
public struct Whole<let Min: Int, let Max: Int>: NumberValue {
    public let value: Int
    public init(unchecked value: Int) { self.value = value }

    public static var schema: Schema {
        Schema(
            .integer(IntegerRule(Int64(Min)...Int64(Max))), example: JSON(Swift.min(Swift.max(Min, 10), Max)))
    }
    public static var sample: Whole { Whole(unchecked: Min) }
}

/// An array of at most `Max` elements.
public struct UpTo<let Max: Int, Element: Codable & Sendable>: Codable, Sendable {
    public let items: [Element]

    public init?(_ items: [Element]) {
        guard items.count <= Max else { return nil }
        self.items = items
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let value = UpTo(try container.decode([Element].self)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "has more than \(Max) items")
        }
        self = value
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(items)
    }
}

extension UpTo: Equatable where Element: Equatable {}
extension UpTo: Hashable where Element: Hashable {}

extension UpTo: BoundedArray {
    static var countMax: Int { Max }
}

/// An array type with a limit of its own, for the schema.
protocol BoundedArray {
    static var countMax: Int { get }
}
