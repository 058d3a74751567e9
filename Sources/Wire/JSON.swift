/// A JSON value (RFC 8259): numbers keep the text they came with, objects the order of their members.
public enum JSON: Hashable, Sendable {
    case null
    case bool(Bool)
    case number(Number)
    case string(String)
    case array([JSON])
    case object(Object)

    /// A number as it was written, so that nothing is lost on its way through.
    public struct Number: Hashable, Sendable {
        public let text: String

        /// The text must follow the grammar of RFC 8259 section 6; the parser sees to that.
        init(unchecked text: String) { self.text = text }

        public init(_ value: some FixedWidthInteger) { text = String(value) }

        /// Nil for what JSON cannot say: infinities and not-a-number.
        public init?(_ value: Double) {
            guard value.isFinite else { return nil }
            let text = "\(value)"
            self.text = text.hasSuffix(".0") ? String(text.dropLast(2)) : text
        }
    }

    /// The members of an object in their order; a key stands once.
    public struct Object: Sendable {
        public private(set) var members: [(key: String, value: JSON)] = []

        public init() {}

        init(unchecked members: [(key: String, value: JSON)]) { self.members = members }

        public var count: Int { members.count }
        public var isEmpty: Bool { members.isEmpty }

        public subscript(key: String) -> JSON? {
            get { members.first { $0.key == key }?.value }
            set {
                let at = members.firstIndex { $0.key == key }
                switch (at, newValue) {
                case (let at?, let value?): members[at].value = value
                case (let at?, nil): members.remove(at: at)
                case (nil, let value?): members.append((key, value))
                case (nil, nil): break
                }
            }
        }
    }
}

extension JSON {
    public subscript(key: String) -> JSON? {
        if case .object(let object) = self { object[key] } else { nil }
    }

    public subscript(index: Int) -> JSON? {
        if case .array(let items) = self, items.indices.contains(index) { items[index] } else { nil }
    }

    public var isNull: Bool { self == .null }
    public var stringValue: String? { if case .string(let text) = self { text } else { nil } }
    public var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }
    public var arrayValue: [JSON]? { if case .array(let items) = self { items } else { nil } }
    public var objectValue: Object? { if case .object(let object) = self { object } else { nil } }
    public var intValue: Int? { if case .number(let number) = self { number.integer() } else { nil } }
    public var doubleValue: Double? { if case .number(let number) = self { number.double } else { nil } }

    /// What kind of value this is, in the words of JSON Schema.
    public var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}

extension JSON.Number {
    public var double: Double? { Double(text).flatMap { $0.isFinite ? $0 : nil } }

    /// The whole number this is, `1.0` and `12e2` included; nil when it has a fraction or does not fit.
    public func integer<Value: FixedWidthInteger>(as type: Value.Type = Int.self) -> Value? {
        if let value = Value(text) { return value }
        return shifted().flatMap { Value($0) }
    }

    public var isWhole: Bool { integer(as: Int64.self) != nil || shifted() != nil }

    /// The digits with point and exponent worked in; nil when a fraction remains or the number is absurdly long.
    private func shifted() -> String? {
        let parts = text.split(whereSeparator: { $0 == "e" || $0 == "E" })
        guard let exponent = parts.count == 2 ? Int(parts[1]) : 0, abs(exponent) <= 40 else { return nil }
        let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        let fraction = mantissa.count == 2 ? mantissa[1] : ""
        var digits = String(mantissa[0]) + fraction
        let zeros = exponent - fraction.utf8.count
        if zeros >= 0 { return digits + String(repeating: "0", count: zeros) }
        guard digits.utf8.count > -zeros, digits.hasSuffix(String(repeating: "0", count: -zeros)) else {
            return nil
        }
        digits.removeLast(-zeros)
        return digits == "-" ? "0" : digits
    }
}

extension JSON.Object: Hashable {
    public static func == (left: Self, right: Self) -> Bool {
        left.count == right.count && left.members.allSatisfy { right[$0.key] == $0.value }
    }

    public func hash(into hasher: inout Hasher) {
        // The order of members says nothing, so it may not tell in the hash either.
        var sum = 0
        for (key, value) in members {
            var one = Hasher()
            one.combine(key)
            one.combine(value)
            sum &+= one.finalize()
        }
        hasher.combine(sum)
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral,
    ExpressibleByFloatLiteral
{
    public init(stringLiteral text: String) { self = .string(text) }
    public init(integerLiteral value: Int) { self = .number(Number(value)) }
    public init(floatLiteral value: Double) { self = Number(value).map(JSON.number) ?? .null }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(nilLiteral: ()) { self = .null }
    public init(arrayLiteral items: JSON...) { self = .array(items) }
    public init(dictionaryLiteral members: (String, JSON)...) {
        var object = Object()
        for (key, value) in members { object[key] = value }
        self = .object(object)
    }

    public init(_ value: some FixedWidthInteger) { self = .number(Number(value)) }
}

extension ByteWriter {
    public func write(_ json: JSON) {
        switch json {
        case .null: write("null")
        case .bool(true): write("true")
        case .bool(false): write("false")
        case .number(let number): write(number.text)
        case .string(let text): writeJSONString(text)
        case .array(let items):
            write(UInt8(ascii: "["))
            for (index, item) in items.enumerated() {
                if index > 0 { write(UInt8(ascii: ",")) }
                write(item)
            }
            write(UInt8(ascii: "]"))
        case .object(let object):
            write(UInt8(ascii: "{"))
            for (index, member) in object.members.enumerated() {
                if index > 0 { write(UInt8(ascii: ",")) }
                writeJSONString(member.key)
                write(UInt8(ascii: ":"))
                write(member.value)
            }
            write(UInt8(ascii: "}"))
        }
    }
}

extension JSON: CustomStringConvertible {
    public var description: String {
        let writer = ByteWriter()
        writer.write(self)
        return writer.string
    }
}
