import API
import Core
import Wire

/// A new field, checked: every fault at once.
struct NewFieldCheck {
    let field: CustomField

    init(_ new: NewField, id: UUID) throws(Problem) {
        var faults: [Fault] = []
        let key = new.key ?? FieldKey.made(from: new.name.text)
        if key == nil {
            faults.append(.at("/key", "required", "is required, for none can be made from the name"))
        }
        let options = FieldOptions.checked(new.options?.items ?? [], &faults)
        if new.type.hasOptions == options.isEmpty {
            faults.append(
                .at(
                    "/options", new.type.hasOptions ? "required" : "not-allowed",
                    new.type.hasOptions
                        ? "is required for this type" : "goes with select and multi_select alone"))
        }
        if (new.type == .money) != (new.currency != nil) {
            faults.append(
                .at(
                    "/currency", new.type == .money ? "required" : "not-allowed",
                    new.type == .money ? "is required for money" : "goes with money alone"))
        }
        let plain = CustomField(
            id: id, scope: new.scopeId, key: key?.text ?? "", name: new.name.text, type: new.type,
            isRequired: new.isRequired ?? false, options: options)
        let value = FieldOptions.checkedDefault(new.defaultValue ?? .null, plain, &faults)
        if !faults.isEmpty { throw .unprocessable(faults) }
        field = CustomField(
            id: id, scope: plain.scope, key: plain.key, name: plain.name, type: plain.type,
            isRequired: plain.isRequired, options: options, defaultValue: value)
    }
}

/// A change of a field, checked against what the field is.
struct FieldChangeCheck {
    /// All options, when they change.
    var options: [CustomField.Option]?
    /// Keys that were there and are not any more.
    var optionsLeftOut: [String]?
    /// The new default, when it changes; null for none.
    var defaultValue: JSON?

    init(_ change: FieldChange, of old: Field) throws(Problem) {
        var faults: [Fault] = []
        if let sent = change.options?.items {
            let made = FieldOptions.checked(sent, &faults)
            if old.type.hasOptions == made.isEmpty {
                let rule =
                    old.type.hasOptions ? "must name at least one" : "goes with select and multi_select alone"
                faults.append(.at("/options", "not-allowed", rule))
            }
            options = made
            optionsLeftOut = old.options.map(\.key).filter { key in !made.contains { $0.key == key } }
        }
        let plain = CustomField(
            id: old.id, scope: old.scopeId, key: old.key, name: old.name, type: old.type,
            isRequired: old.isRequired,
            options: options ?? old.options)
        if let sent = change.defaultValue {
            defaultValue = FieldOptions.checkedDefault(sent ?? .null, plain, &faults)
        } else if options != nil, old.defaultValue != .null, case .failure = plain.kept(old.defaultValue) {
            faults.append(
                .at("/options", "default-left-out", "must have the default value, or change it as well"))
        }
        if !faults.isEmpty { throw .unprocessable(faults) }
    }
}

enum FieldOptions {
    static func checked(_ options: [FieldOption], _ faults: inout [Fault]) -> [CustomField.Option] {
        var made: [CustomField.Option] = []
        for (index, option) in options.enumerated() {
            guard let key = option.key ?? FieldKey.made(from: option.name.text) else {
                faults.append(
                    .at(
                        "/options/\(index)/key", "required", "is required, for none can be made from the name"
                    ))
                continue
            }
            if made.contains(where: { $0.key == key.text }) {
                faults.append(.at("/options/\(index)/key", "repeated", "stands more than once"))
                continue
            }
            made.append(
                .init(
                    key: key.text, name: option.name.text, color: option.color?.text,
                    isArchived: option.isArchived ?? false))
        }
        return made
    }

    static func checkedDefault(_ value: JSON, _ field: CustomField, _ faults: inout [Fault]) -> JSON {
        if value == .null { return .null }
        if field.type == .member {
            faults.append(.at("/default_value", "not-allowed", "a member is no default: he may leave"))
            return .null
        }
        switch field.kept(value) {
        case .success(let kept): return kept
        case .failure(let wrong):
            faults.append(.at("/default_value", wrong.code, wrong.detail))
            return .null
        }
    }
}
