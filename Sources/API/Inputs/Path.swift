import Postgres
import Wire

/// A `{parameter}` of the path, in the order they stand there.
@dynamicMemberLookup
public struct Path<Value: Decodable & Sendable>: RouteInput {
    public let value: Value
    public init(_ value: Value) { self.value = value }

    public subscript<Member>(dynamicMember path: KeyPath<Value, Member>) -> Member { value[keyPath: path] }

    public static func part() throws(Schema.ProbeError) -> InputPart {
        var schema = try Schema.of(Value.self, as: .input)
        schema.kind = QueryShape.bounded(schema.kind, textMax: InputLimits.pathTextLengthMax)
        return .path(schema)
    }

    public static func read(_ reader: InputReader) -> Path? {
        guard case .path(let schema) = reader.part() else { return nil }
        let (name, text) = reader.pathParameter()
        if Value.self == UUID.self, let id = UUID(text) { return Path(id as! Value) }
        return ParameterText.value([text], schema, name, reader, Value.self).map(Path.init)
    }
}

extension Path: SQLBindable where Value: SQLBindable {
    public var sqlValue: SQLValue { value.sqlValue }
}

/// Parameters are text; the schema says what they stand for.
enum ParameterText {
    static func value<Value: Decodable>(
        _ texts: [String], _ schema: Schema, _ name: String, _ reader: InputReader, _ type: Value.Type
    ) -> Value? {
        guard let json = json(texts, schema, name, reader) else { return nil }
        let faults = schema.faults(in: json)
        for fault in faults { reader.fault(parameterFault(fault, name)) }
        guard faults.isEmpty else { return nil }
        guard let value = try? json.decode(type) else {
            reader.fault(.parameter(name, "invalid", "is not acceptable"))
            return nil
        }
        return value
    }

    /// A fault of the value, told of the parameter. What cannot be read as its type at all is a fault of form.
    static func parameterFault(_ fault: Fault, _ name: String) -> Fault {
        Fault(.parameter(name), fault.code, fault.detail, isSyntax: fault.isSyntax || fault.code == "invalid")
    }

    /// Nil when the text cannot be read as the kind the schema wants.
    static func json(_ texts: [String], _ schema: Schema, _ name: String, _ reader: InputReader) -> JSON? {
        if case .array(let element, _) = schema.kind {
            var items: [JSON] = []
            for text in texts {
                for part in text.split(separator: ",", omittingEmptySubsequences: true) {
                    guard let item = scalar(String(part), element) else {
                        return unreadable(element, name, reader)
                    }
                    items.append(item)
                }
            }
            return .array(items)
        }
        guard texts.count == 1 else {
            reader.fault(Fault(.parameter(name), "repeated", "stands more than once", isSyntax: true))
            return nil
        }
        return scalar(texts[0], schema) ?? unreadable(schema, name, reader)
    }

    private static func unreadable(_ schema: Schema, _ name: String, _ reader: InputReader) -> JSON? {
        reader.fault(Fault(.parameter(name), "wrong-type", "must be \(schema.wanted)", isSyntax: true))
        return nil
    }

    private static func scalar(_ text: String, _ schema: Schema) -> JSON? {
        switch schema.kind {
        case .text: text.utf8.contains(0) ? nil : .string(text)
        case .integer, .number:
            if let json = try? JSON.parse(text), case .number = json { json } else { nil }
        case .boolean:
            switch text {
            case "true": true
            case "false": false
            default: nil
            }
        case .array, .object, .map, .anything: nil
        }
    }
}
