import Wire

/// Examples: the declared ones, else values made from the schema.
extension Route {
    /// The body an example request has.
    public var exampleBody: JSON? {
        if let bodyExample { return bodyExample }
        return bodySchema.map { ExampleMaker(role: .input).value($0, named: "") }
    }

    /// The body of an example answer.
    public var exampleAnswer: JSON? {
        switch output.shape {
        case .single(let schema): return answerExample ?? ExampleMaker(role: .output).value(schema, named: "")
        case .page(let item):
            // A declared example is one item; the page goes round it.
            let one = answerExample ?? ExampleMaker(role: .output).value(item, named: "")
            return ["data": [one], "page": ["next_cursor": nil, "has_more": false]]
        case .empty, .media: return nil
        }
    }

    public var bodySchema: Schema? {
        for input in inputs {
            switch input {
            case .body(let schema), .patch(let schema): return schema
            case .form(let shape): return Schema(.object(shape))
            case .path, .query, .list, .stream: break
            }
        }
        return nil
    }

    /// Everything in the examples that the schemas do not allow; empty on a sound route.
    public var exampleFaults: [Fault] {
        var faults: [Fault] = []
        if let schema = bodySchema, let example = exampleBody { faults += schema.faults(in: example) }
        if let item = output.item {
            let example = if case .page = output.shape { exampleAnswer?["data"]?[0] } else { exampleAnswer }
            if let example { faults += item.faults(in: example) }
        }
        return faults
    }

    /// The path with an example in each parameter's place.
    var examplePath: String {
        let schemas = inputs.compactMap { if case .path(let schema) = $0 { schema } else { nil } }
        var rest = schemas[...]
        return path.split(separator: "/", omittingEmptySubsequences: false).map { part in
            guard part.hasPrefix("{"), let schema = rest.popFirst() else { return String(part) }
            let value = ExampleMaker(role: .input).value(schema, named: String(part.dropFirst().dropLast()))
            return value.stringValue ?? "\(value)"
        }.joined(separator: "/")
    }
}

/// Makes a likely value of a schema; names help with texts that have no rule of their own.
struct ExampleMaker {
    let role: SchemaRole

    func value(_ schema: Schema, named name: String) -> JSON {
        if let example = schema.example { return example }
        switch schema.kind {
        case .text(let rule): return rule.values.flatMap(\.first).map(JSON.string) ?? text(rule, name)
        case .integer(let rule):
            return JSON(min(max(integer(name), rule.minimum ?? .min), rule.maximum ?? .max))
        case .number(let minimum, let maximum):
            return JSON.Number(min(max(12.5, minimum ?? 12.5), maximum ?? 12.5)).map(JSON.number) ?? 0
        case .boolean: return true
        case .array(let element, let countMax): return countMax == 0 ? [] : [value(element, named: name)]
        case .map(let element): return .object([("key", value(element, named: name))])
        case .anything: return [:]
        case .object(let object):
            var out = JSON.Object()
            for property in object.properties {
                out[property.name] = value(property.schema, named: property.name)
            }
            return .object(out)
        }
    }

    private func integer(_ name: String) -> Int64 {
        if name.hasSuffix("cents") { return 125_000 }
        return name == "version" ? 3 : name.hasSuffix("seconds") ? 900 : 12
    }

    private func text(_ rule: TextRule, _ name: String) -> JSON {
        let likely = Self.likely.first { name == $0.name || name.hasSuffix("_\($0.name)") }?.text ?? "text"
        let length = likely.unicodeScalars.count
        if let max = rule.lengthMax, length > max { return .string(String(likely.prefix(max))) }
        if let min = rule.lengthMin, length < min {
            return .string(likely + String(repeating: "x", count: min - length))
        }
        return .string(likely)
    }

    private static let likely: [(name: String, text: String)] = [
        ("email", "ada@example.com"), ("name", "Ada Lovelace"), ("title", "Spring launch"),
        ("slug", "analytical-engines"),
        ("url", "https://example.com/spring"), ("locale", "en-GB"), ("time_zone", "Europe/Berlin"),
        ("currency", "EUR"),
        ("description", "Everything we agreed on by phone."), ("note", "Everything we agreed on by phone."),
        ("token", "q3Zr8vK1xT0bW6yN"), ("secret", "JBSWY3DPEHPK3PXP"), ("code", "482913"),
        ("ip", "203.0.113.7"),
        ("ip_address", "203.0.113.7"), ("user_agent", "Mozilla/5.0"), ("role", "member"),
        ("permission", "teams:read"),
        ("permissions", "teams:read"), ("status", "active"), ("password", "correct-horse-battery"),
        ("country", "DE"),
        ("color", "#2f6fed"), ("phone", "+49 30 1234567"), ("type", "Bearer"), ("key", "inf_live_8Kq2"),
        ("prefix", "inf_live_8Kq2"),
    ]
}
