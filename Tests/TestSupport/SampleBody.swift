import API
import Wire

/// A body a route accepts as well formed: its example, or one made of its schema's required fields.
public enum SampleBody {
    public static func of(_ route: Route) -> JSON? {
        for input in route.inputs {
            switch input {
            case .body(let schema): return route.bodyExample ?? value(schema)
            case .patch: return route.bodyExample ?? [:]
            case .form, .stream, .path, .query, .list: continue
            }
        }
        return nil
    }

    private static func value(_ schema: Schema) -> JSON {
        if let example = schema.example { return example }
        switch schema.kind {
        case .text(let rule):
            return .string(rule.values?.first ?? String(repeating: "a", count: max(rule.lengthMin ?? 1, 1)))
        case .integer(let rule): return JSON(max(rule.minimum ?? 1, min(1, rule.maximum ?? 1)))
        case .number: return 1
        case .boolean: return true
        case .array(let element, _): return [value(element)]
        case .object(let shape):
            var object = JSON.Object()
            for property in shape.properties where property.isRequired {
                object[property.name] = value(property.schema)
            }
            return .object(object)
        case .map, .anything: return [:]
        }
    }
}
