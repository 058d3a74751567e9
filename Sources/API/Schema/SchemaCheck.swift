import Wire

extension Schema {
    /// Everything about `value` that the schema does not allow, each with its JSON Pointer.
    public func faults(in value: JSON) -> [Fault] {
        var check = SchemaCheck()
        check.value(value, self, "")
        return check.faults
    }
}

private struct SchemaCheck {
    var faults: [Fault] = []

    private mutating func fault(_ pointer: String, _ code: String, _ detail: String, isSyntax: Bool = false) {
        guard faults.count < InputLimits.faultsMax else { return }
        faults.append(Fault(.body(pointer), code, detail, isSyntax: isSyntax))
    }

    mutating func value(_ value: JSON, _ schema: Schema, _ pointer: String) {
        if value == .null {
            if case .anything = schema.kind { return }
            if !schema.isNullable { fault(pointer, "null-not-allowed", "may not be null") }
            return
        }
        switch (schema.kind, value) {
        case (.anything, _), (.boolean, .bool): break
        case (.text(let rule), .string(let text)): self.text(text, rule, pointer)
        case (.integer(let rule), .number(let number)): integer(number, rule, pointer)
        case (.number(let minimum, let maximum), .number(let number)): real(number, minimum, maximum, pointer)
        case (.array(let element, let countMax), .array(let items)):
            if let countMax, items.count > countMax {
                return fault(pointer, "too-many", "has \(items.count) items, \(countMax) are allowed")
            }
            for (index, item) in items.enumerated() { self.value(item, element, "\(pointer)/\(index)") }
        case (.map(let element), .object(let object)):
            for (key, item) in object.members { self.value(item, element, step(pointer, key)) }
        case (.object(let shape), .object(let object)): self.object(object, shape, pointer)
        default: fault(pointer, "wrong-type", "must be \(schema.wanted), is \(value.articled)")
        }
    }

    private func step(_ pointer: String, _ key: String) -> String { "\(pointer)/\(JSON.escapePointer(key))" }

    private mutating func object(_ object: JSON.Object, _ shape: ObjectSchema, _ pointer: String) {
        for property in shape.properties {
            if let value = object[property.name] {
                self.value(value, property.schema, step(pointer, property.name))
            } else if property.isRequired {
                fault(step(pointer, property.name), "required", "is required")
            }
        }
        for (key, _) in object.members where shape[key] == nil {
            let near = NearMiss.hint(key, among: shape.properties.map(\.name))
            fault(
                step(pointer, String(key.prefix(100))), "unknown-field", "is no field here\(near)",
                isSyntax: true)
        }
    }

    private mutating func text(_ text: String, _ rule: TextRule, _ pointer: String) {
        if let values = rule.values, !values.contains(text) {
            let near = NearMiss.hint(text, among: values)
            return fault(pointer, "not-one-of", "must be one of \(values.joined(separator: ", "))\(near)")
        }
        // Counted as JSON Schema and PostgreSQL count: code points.
        if rule.lengthMin != nil || rule.lengthMax != nil {
            let length = text.unicodeScalars.count
            if let min = rule.lengthMin, length < min {
                return fault(
                    pointer, "too-short",
                    min == 1 ? "may not be empty" : "must have at least \(min) characters")
            }
            if let max = rule.lengthMax, length > max {
                return fault(pointer, "too-long", "has \(length) characters, \(max) are allowed")
            }
        }
        if let reason = rule.check?(text) { fault(pointer, "invalid", reason) }
    }

    private mutating func integer(_ number: JSON.Number, _ rule: IntegerRule, _ pointer: String) {
        guard let value = number.integer(as: Int64.self) else {
            return number.isWhole
                ? fault(pointer, "out-of-range", "is too far from zero")
                : fault(pointer, "wrong-type", "must be a whole number")
        }
        if let minimum = rule.minimum, value < minimum {
            fault(pointer, "too-small", "must be at least \(minimum)")
        }
        if let maximum = rule.maximum, value > maximum {
            fault(pointer, "too-large", "must be at most \(maximum)")
        }
    }

    private mutating func real(
        _ number: JSON.Number, _ minimum: Double?, _ maximum: Double?, _ pointer: String
    ) {
        guard let value = number.double else { return fault(pointer, "out-of-range", "is too far from zero") }
        if let minimum, value < minimum { fault(pointer, "too-small", "must be at least \(minimum)") }
        if let maximum, value > maximum { fault(pointer, "too-large", "must be at most \(maximum)") }
    }
}

extension Schema {
    /// The kind of value wanted, with its article.
    var wanted: String {
        switch kind {
        case .text: "a string"
        case .integer: "a whole number"
        case .number: "a number"
        case .boolean: "true or false"
        case .array: "an array"
        case .object, .map: "an object"
        case .anything: "any value"
        }
    }
}

extension JSON {
    fileprivate var articled: String {
        switch self {
        case .null: "null"
        case .array, .object: "an \(typeName)"
        default: "a \(typeName)"
        }
    }
}
