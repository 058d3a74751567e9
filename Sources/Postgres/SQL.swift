import Wire

/// A statement with its values: what is interpolated is bound, never pasted into the text.
///
///     let sql: SQL = "SELECT id FROM leads WHERE company_id = \(company) AND status = \(status)"
///
/// A value takes the type its place in the statement demands; where the place demands none (`\(day) IS NULL`), say it
/// (`\(day)::date IS NULL`).
public struct SQL: Sendable {
    public private(set) var text: String
    private(set) var bound: [Bound]

    /// A value and where its `$n` begins in the text, so that a fragment's values can be numbered anew.
    struct Bound: Sendable {
        var value: SQLValue
        var offset: Int
    }

    public init() {
        text = ""
        bound = []
    }

    /// A whole statement with its `$n` in place; it is never made part of another.
    init(fixed text: String, bound: [Bound]) {
        self.text = text
        self.bound = bound
    }

    public var isEmpty: Bool { text.isEmpty }
    public var values: [SQLValue] { bound.map(\.value) }

    public static func + (left: SQL, right: SQL) -> SQL {
        var joined = left
        joined.append(right)
        return joined
    }

    public static func += (left: inout SQL, right: SQL) { left.append(right) }

    mutating func append(literal: String) { text.append(literal) }

    mutating func append(_ value: SQLValue) {
        bound.append(Bound(value: value, offset: text.utf8.count))
        text.append("$")
        text.append(String(bound.count))
    }

    mutating func append(_ fragment: SQL) {
        if bound.isEmpty || fragment.bound.isEmpty {
            let shift = text.utf8.count
            text.append(fragment.text)
            bound.append(contentsOf: fragment.bound.map { Bound(value: $0.value, offset: $0.offset + shift) })
            return
        }
        var rest = Substring(fragment.text).utf8
        var read = 0
        for (index, item) in fragment.bound.enumerated() {
            text.append(contentsOf: String(Substring(rest.prefix(item.offset - read))))
            append(item.value)
            rest = rest.dropFirst(item.offset - read + 1 + String(index + 1).utf8.count)
            read = item.offset + 1 + String(index + 1).utf8.count
        }
        text.append(contentsOf: String(Substring(rest)))
    }
}

extension Sequence<SQL> {
    /// The fragments one after another with `separator` between them.
    public func joined(separator: String) -> SQL {
        var joined = SQL()
        for (index, fragment) in enumerated() {
            if index > 0 { joined.append(literal: separator) }
            joined.append(fragment)
        }
        return joined
    }
}

extension SQL: ExpressibleByStringInterpolation {
    public init(stringLiteral text: String) {
        self.text = text
        bound = []
    }

    public init(stringInterpolation: StringInterpolation) { self = stringInterpolation.sql }

    public struct StringInterpolation: StringInterpolationProtocol {
        var sql = SQL()

        public init(literalCapacity: Int, interpolationCount: Int) {
            sql.reserve(text: literalCapacity + interpolationCount * 3, values: interpolationCount)
        }

        public mutating func appendLiteral(_ text: String) { sql.append(literal: text) }

        /// Binds the value.
        public mutating func appendInterpolation(_ value: some SQLBindable) { sql.append(value.sqlValue) }

        /// Binds the value, or NULL.
        public mutating func appendInterpolation(_ value: (some SQLBindable)?) {
            sql.append(value?.sqlValue ?? .null)
        }

        /// Puts a fragment here, its values numbered after those that stand before it.
        public mutating func appendInterpolation(fragment: SQL) { sql.append(fragment) }

        /// Pastes text that nobody outside can choose: a name of a column from an allow-list, never a value.
        public mutating func appendInterpolation(unescaped: String) { sql.append(literal: unescaped) }
    }

    private mutating func reserve(text length: Int, values: Int) {
        text.reserveCapacity(length)
        bound.reserveCapacity(values)
    }
}
