import HTTP
import Wire

/// The query's parameters as the properties of a struct; unknown ones are refused.
///
/// `status=a,b` fills an array, `created_at[gte]=…` a `Span`.
@dynamicMemberLookup
public struct Query<Value: Decodable & Sendable>: RouteInput {
    public let value: Value
    public init(_ value: Value) { self.value = value }

    public subscript<Member>(dynamicMember path: KeyPath<Value, Member>) -> Member { value[keyPath: path] }

    public static func part() throws(Schema.ProbeError) -> InputPart { .query(try QueryShape.of(Value.self)) }

    public static func read(_ reader: InputReader) -> Query? {
        guard case .query(let shape) = reader.part() else { return nil }
        var pairs = QueryPairs(reader.call.request.query, reader)
        let json = pairs.json(for: shape, reader)
        pairs.refuseTheRest(known: shape.properties, reader)
        return reader.faults.isEmpty ? (try? json.decode(Value.self)).map(Query.init) : nil
    }
}

enum QueryShape {
    static func of(_ type: (some Decodable).Type) throws(Schema.ProbeError) -> ObjectSchema {
        let schema = try Schema.of(type, as: .input)
        guard case .object(var shape) = schema.kind else {
            throw Schema.ProbeError(description: "\(type) is read from a query, so it must be a struct")
        }
        for index in shape.properties.indices {
            shape.properties[index].schema.kind = bounded(shape.properties[index].schema.kind)
        }
        return shape
    }

    /// An address is no place for the long texts and lists that a plain `String` or array may be in a body.
    static func bounded(_ kind: Schema.Kind, textMax: Int = InputLimits.searchLengthMax) -> Schema.Kind {
        switch kind {
        case .array(var element, let most):
            element.kind = bounded(element.kind)
            let isPlain = most ?? InputLimits.itemsMax == InputLimits.itemsMax
            return .array(element, countMax: isPlain ? InputLimits.filterValuesMax : most)
        case .text(var rule) where rule.lengthMax == InputLimits.textLengthMax:
            rule.lengthMax = textMax
            return .text(rule)
        default: return kind
        }
    }
}

/// `name=value` pairs in their order, percent-decoded.
struct QueryPairs {
    private(set) var pairs: [(name: String, value: String)] = []

    /// A query that cannot be read is a fault, told to the reader.
    init(_ query: String?, _ reader: InputReader) {
        guard let query, !query.isEmpty else { return }
        do throws(FormError) {
            pairs = try FormFields(query).fields.map { ($0.name, $0.value) }
        } catch {
            reader.fault(
                Fault(
                    .parameter("query"), "malformed-query", "the query is not valid: \(error)", isSyntax: true
                ))
        }
    }

    /// Takes out every value of that name.
    mutating func take(_ name: String) -> [String] {
        guard pairs.contains(where: { $0.name == name }) else { return [] }
        let values = pairs.filter { $0.name == name }.map(\.value)
        pairs.removeAll { $0.name == name }
        return values
    }

    /// Takes out what the shape knows and makes an object of it; faults are told to the reader.
    mutating func json(for shape: ObjectSchema, _ reader: InputReader) -> JSON {
        var object = JSON.Object()
        for property in shape.properties {
            if let value = value(of: property, property.name, reader) {
                object[property.name] = value
            } else if property.isRequired,
                !reader.faults.contains(where: { $0.place == .parameter(property.name) })
            {
                reader.fault(.parameter(property.name, "required", "is required"))
            }
        }
        return .object(object)
    }

    private mutating func value(of property: ObjectSchema.Property, _ name: String, _ reader: InputReader)
        -> JSON?
    {
        if case .object(let inner) = property.schema.kind { return span(inner, name, reader) }
        if case .map = property.schema.kind { return map(property.schema, name, reader) }
        let texts = take(name)
        guard !texts.isEmpty, let json = ParameterText.json(texts, property.schema, name, reader) else {
            return nil
        }
        for fault in property.schema.faults(in: json) {
            reader.fault(ParameterText.parameterFault(fault, name))
        }
        return json
    }

    /// `created_at[gte]=…&created_at[lt]=…`
    private mutating func span(_ shape: ObjectSchema, _ name: String, _ reader: InputReader) -> JSON? {
        var object = JSON.Object()
        for bound in shape.properties {
            if let value = value(of: bound, "\(name)[\(bound.name)]", reader) { object[bound.name] = value }
        }
        return object.isEmpty ? nil : .object(object)
    }

    /// `custom[size]=…&custom[price][gte]=…`: an object of `size` and `price[gte]`.
    private mutating func map(_ schema: Schema, _ name: String, _ reader: InputReader) -> JSON? {
        var object = JSON.Object()
        for pair in pairs where pair.name.hasPrefix("\(name)[") && pair.name.hasSuffix("]") {
            let inner = pair.name.dropFirst(name.count + 1)
            guard let end = inner.firstIndex(of: "]") else { continue }
            let key = String(inner[..<end] + inner[inner.index(after: end)...])
            if object[key] != nil {
                reader.fault(
                    Fault(.parameter(pair.name), "repeated", "stands more than once", isSyntax: true))
            }
            object[key] = .string(pair.value)
        }
        pairs.removeAll { $0.name.hasPrefix("\(name)[") && $0.name.hasSuffix("]") }
        guard !object.isEmpty else { return nil }
        for fault in schema.faults(in: .object(object)) {
            reader.fault(ParameterText.parameterFault(fault, name))
        }
        return .object(object)
    }

    /// What nobody took is a mistake of the caller.
    func refuseTheRest(known: [ObjectSchema.Property], also names: [String] = [], _ reader: InputReader) {
        guard !pairs.isEmpty else { return }
        let all =
            names
            + known.flatMap { property -> [String] in
                guard case .object(let inner) = property.schema.kind else { return [property.name] }
                return inner.properties.map { "\(property.name)[\($0.name)]" }
            }
        for (name, _) in pairs {
            let near = NearMiss.hint(name, among: all)
            reader.fault(
                Fault(
                    .parameter(String(name.prefix(100))), "unknown-parameter", "is no parameter here\(near)",
                    isSyntax: true))
        }
    }
}
