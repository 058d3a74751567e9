import Wire

/// A value on its way to the database.
public enum SQLValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int64)
    case double(Double)
    case text(String)
    case uuid(UUID)
    case time(Timestamp)
    case date(LocalDate)
    case bytes([UInt8])
    case texts([String])
    case uuids([UUID])
    case integers([Int64])
}

/// What may be interpolated into `SQL`. A type of the house that carries text or a number conforms by naming it.
public protocol SQLBindable {
    var sqlValue: SQLValue { get }
}

/// JSON text for a `json` or `jsonb` place; whether it is JSON the database checks.
public struct JSONText: SQLBindable, Sendable {
    public let text: String
    public init(_ text: String) { self.text = text }
    public init(_ bytes: [UInt8]) { text = String(decoding: bytes, as: UTF8.self) }
    public var sqlValue: SQLValue { .text(text) }
}

extension Bool: SQLBindable { public var sqlValue: SQLValue { .bool(self) } }
extension Int: SQLBindable { public var sqlValue: SQLValue { .integer(Int64(self)) } }
extension Int16: SQLBindable { public var sqlValue: SQLValue { .integer(Int64(self)) } }
extension Int32: SQLBindable { public var sqlValue: SQLValue { .integer(Int64(self)) } }
extension Int64: SQLBindable { public var sqlValue: SQLValue { .integer(self) } }
extension Double: SQLBindable { public var sqlValue: SQLValue { .double(self) } }
extension String: SQLBindable { public var sqlValue: SQLValue { .text(self) } }
extension Substring: SQLBindable { public var sqlValue: SQLValue { .text(String(self)) } }
extension UUID: SQLBindable { public var sqlValue: SQLValue { .uuid(self) } }
extension Timestamp: SQLBindable { public var sqlValue: SQLValue { .time(self) } }
extension LocalDate: SQLBindable { public var sqlValue: SQLValue { .date(self) } }
extension SQLValue: SQLBindable { public var sqlValue: SQLValue { self } }

extension SQLBindable where Self: RawRepresentable, RawValue: SQLBindable {
    public var sqlValue: SQLValue { rawValue.sqlValue }
}

/// An element of an array that may be bound: `[UInt8]` is bytes, the others are PostgreSQL arrays.
public protocol SQLBindableElement {
    static func sqlValue(of elements: [Self]) -> SQLValue
}

extension Array: SQLBindable where Element: SQLBindableElement {
    public var sqlValue: SQLValue { Element.sqlValue(of: self) }
}

extension UInt8: SQLBindableElement {
    public static func sqlValue(of elements: [UInt8]) -> SQLValue { .bytes(elements) }
}
extension String: SQLBindableElement {
    public static func sqlValue(of elements: [String]) -> SQLValue { .texts(elements) }
}
extension UUID: SQLBindableElement {
    public static func sqlValue(of elements: [UUID]) -> SQLValue { .uuids(elements) }
}
extension Int64: SQLBindableElement {
    public static func sqlValue(of elements: [Int64]) -> SQLValue { .integers(elements) }
}
extension Int32: SQLBindableElement {
    public static func sqlValue(of elements: [Int32]) -> SQLValue { .integers(elements.map(Int64.init)) }
}
extension Int: SQLBindableElement {
    public static func sqlValue(of elements: [Int]) -> SQLValue { .integers(elements.map(Int64.init)) }
}

extension SQLBindableElement where Self: RawRepresentable, RawValue == String {
    public static func sqlValue(of elements: [Self]) -> SQLValue { .texts(elements.map(\.rawValue)) }
}

extension SQL {
    /// The types told to the server for its parsing; 0 lets it find out.
    ///
    /// Numbers and texts take the type of the place they stand in. The others have one type only, and saying so spares
    /// the author casts where PostgreSQL cannot tell: `unnest($1)`, `SELECT DISTINCT $1`.
    var declaredTypes: [UInt32] { bound.map { $0.value.declaredType } }
}

extension SQLValue {
    fileprivate var declaredType: UInt32 {
        switch self {
        case .null, .integer, .double, .text: 0
        case .bool: 16
        case .bytes: 17
        case .date: 1082
        case .time: 1184
        case .uuid: 2950
        case .texts: 1009
        case .uuids: 2951
        case .integers: 1016
        }
    }
}
