import HTTP
import Wire

/// The fields of an HTML form (`application/x-www-form-urlencoded`) as the properties of a struct.
@dynamicMemberLookup
public struct Form<Value: Decodable & Sendable>: RouteInput {
    public let value: Value
    public init(_ value: Value) { self.value = value }

    public subscript<Member>(dynamicMember path: KeyPath<Value, Member>) -> Member { value[keyPath: path] }

    public static func part() throws(Schema.ProbeError) -> InputPart { .form(try QueryShape.of(Value.self)) }

    public static func read(_ reader: InputReader) -> Form? {
        guard case .form(let shape) = reader.part() else { return nil }
        var pairs = QueryPairs(String(decoding: reader.call.bodyBytes, as: UTF8.self), reader)
        let json = pairs.json(for: shape, reader)
        pairs.refuseTheRest(known: shape.properties, reader)
        return reader.faults.isEmpty ? (try? json.decode(Value.self)).map(Form.init) : nil
    }
}
