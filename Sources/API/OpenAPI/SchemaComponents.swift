import Wire

/// The named schemas of the document, each written once.
struct SchemaComponents {
    private var named: [(name: String, schema: JSON)] = []
    private var names: [Key: String] = [:]
    /// Writes every object where it is used: for a schema that has to stand alone.
    private var isInlining = false

    private struct Key: Hashable {
        let type: String
        let role: SchemaRole
    }

    /// In the order of their names, and the schema of problems with them.
    var all: JSON {
        var all = named
        all.append(("Problem", SharedParts.problemSchema))
        all.append(("PageInfo", SharedParts.pageSchema))
        return .object(JSON.Object(all.sorted { $0.name < $1.name }.map { ($0.name, $0.schema) }))
    }

    /// A schema as it stands in the document: objects of a named type by reference.
    mutating func reference(_ schema: Schema, _ role: SchemaRole) -> JSON {
        guard case .object(let object) = schema.kind, let name = object.name, !isInlining else {
            return inline(schema, role)
        }
        let reference = named(name, object, role)
        guard schema.isNullable || schema.note != nil else { return reference }
        var out = JSON.Object()
        if let note = schema.note { out["description"] = .string(note) }
        if schema.isNullable {
            out["anyOf"] = [reference, ["type": "null"]]
        } else {
            out["allOf"] = [reference]
        }
        return .object(out)
    }

    /// A schema that points nowhere.
    static func alone(_ schema: Schema, _ role: SchemaRole) -> JSON {
        var components = SchemaComponents()
        components.isInlining = true
        return components.reference(schema, role)
    }

    /// `{"data": […], "page": {…}}` under the name that the item has in the document, with `Page`.
    mutating func page(of item: Schema) -> JSON {
        let items = reference(item, .output)
        let link = items["$ref"]?.stringValue.flatMap { $0.split(separator: "/").last }
        let name = (link.map(String.init) ?? "Value") + "Page"
        let schema: JSON = [
            "type": "object",
            "properties": [
                "data": ["type": "array", "items": items],
                "page": ["$ref": "#/components/schemas/PageInfo"],
            ],
            "required": ["data", "page"],
        ]
        if !named.contains(where: { $0.name == name }) { named.append((name, schema)) }
        return Self.link(name)
    }

    private mutating func named(_ name: String, _ object: ObjectSchema, _ role: SchemaRole) -> JSON {
        let key = Key(type: object.fullName ?? name, role: role)
        if let known = names[key] { return Self.link(known) }
        let chosen = free(name, object, role)
        names[key] = chosen
        let place = named.count
        named.append((chosen, .null))
        named[place].schema = self.object(object, role)
        return Self.link(chosen)
    }

    /// The type's own name, with that of the type round it unless it says so itself; what is taken gets its role behind.
    private func free(_ name: String, _ object: ObjectSchema, _ role: SchemaRole) -> String {
        let path = (object.fullName ?? name).split(separator: ".").map { Self.letters(String($0)) }
        var chosen = Self.letters(name)
        if path.count > 2 {
            let outer = path[path.count - 2]
            let root =
                outer.hasSuffix("ies")
                ? String(outer.dropLast(3)) : outer.hasSuffix("s") ? String(outer.dropLast()) : outer
            if !chosen.contains(root) { chosen = outer + chosen }
        }
        if !names.values.contains(chosen) { return chosen }
        chosen += role == .output ? "Answer" : role == .input ? "Input" : "Patch"
        return names.values.contains(chosen) ? chosen + String(names.count) : chosen
    }

    private static func letters(_ name: String) -> String { name.filter { $0.isLetter || $0.isNumber } }

    private static func link(_ name: String) -> JSON { ["$ref": .string("#/components/schemas/\(name)")] }

    private mutating func object(_ object: ObjectSchema, _ role: SchemaRole) -> JSON {
        var properties = JSON.Object()
        for property in object.properties { properties[property.name] = reference(property.schema, role) }
        var out: JSON.Object = [("type", "object"), ("properties", .object(properties))]
        let required = object.properties.filter(\.isRequired).map { JSON.string($0.name) }
        if !required.isEmpty { out["required"] = .array(required) }
        if role != .output { out["additionalProperties"] = false }
        return .object(out)
    }

    private mutating func inline(_ schema: Schema, _ role: SchemaRole) -> JSON {
        var out = JSON.Object()
        func type(_ name: JSON) { out["type"] = schema.isNullable ? [name, "null"] : name }
        switch schema.kind {
        case .text(let rule):
            type("string")
            Self.add(rule, to: &out, isNullable: schema.isNullable)
        case .integer(let rule):
            type("integer")
            out["format"] = rule.format.map(JSON.string)
            out["minimum"] = rule.minimum.map { JSON($0) }
            out["maximum"] = rule.maximum.map { JSON($0) }
        case .number(let minimum, let maximum):
            type("number")
            out["minimum"] = minimum.flatMap(JSON.Number.init).map(JSON.number)
            out["maximum"] = maximum.flatMap(JSON.Number.init).map(JSON.number)
        case .boolean: type("boolean")
        case .array(let element, let countMax):
            type("array")
            out["items"] = reference(element, role)
            out["maxItems"] = countMax.map { JSON($0) }
        case .map(let element):
            type("object")
            out["additionalProperties"] = reference(element, role)
        case .object(let object):
            out = self.object(object, role).objectValue ?? out
            if schema.isNullable { type("object") }
        case .anything: break
        }
        out["description"] = schema.note.map(JSON.string)
        out["examples"] = schema.example.map { [$0] }
        return .object(out)
    }

    private static func add(_ rule: TextRule, to out: inout JSON.Object, isNullable: Bool) {
        if let values = rule.values {
            out["enum"] = .array(values.map(JSON.string) + (isNullable ? [.null] : []))
        }
        out["format"] = rule.format.map(JSON.string)
        if let min = rule.lengthMin, min > 0 { out["minLength"] = JSON(min) }
        out["maxLength"] = rule.lengthMax.map { JSON($0) }
        out["pattern"] = rule.pattern.map(JSON.string)
    }
}

extension Schema {
    /// The schema of what is given out, as JSON Schema.
    public var json: JSON { SchemaComponents.alone(self, .output) }
}
