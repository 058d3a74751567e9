import API
import Core
import Wire

/// Finds everything wrong with a flag's rules before they are kept, so that no decision can ever fail.
struct FlagRulesCheck {
    let set: FlagSet
    let key: String
    private var found: [Fault] = []

    init(set: FlagSet, key: String) {
        self.set = set
        self.key = key
    }

    func faults(in rules: FlagRules) -> [Fault] {
        var check = self
        check.variants(rules)
        check.serving(rules.default, rules, "/rules/default")
        for (index, rule) in (rules.rules?.items ?? []).enumerated() {
            check.rule(rule, rules, "/rules/rules/\(index)")
        }
        check.prerequisites(rules)
        return check.found
    }

    private mutating func fault(_ pointer: String, _ code: String, _ detail: String) {
        found.append(.at(pointer, code, detail))
    }

    private mutating func variants(_ rules: FlagRules) {
        let variants = rules.variants.items
        if variants.isEmpty { fault("/rules/variants", "too-few", "a flag needs an answer to give") }
        var names: Set<String> = []
        for (index, variant) in variants.enumerated() {
            if !names.insert(variant.name.text).inserted {
                fault("/rules/variants/\(index)/name", "repeated", "stands more than once")
            }
            if variant.value.typeName != variants[0].value.typeName || variant.value == .null
                || variant.value.arrayValue != nil
            {
                fault(
                    "/rules/variants/\(index)/value", "wrong-type",
                    "must be true or false, a text, a number or an object, and all of one type")
            }
        }
        known(rules.offVariant.text, rules, "/rules/off_variant")
    }

    private mutating func known(_ variant: String, _ rules: FlagRules, _ pointer: String) {
        let names = rules.variants.items.map(\.name.text)
        if names.contains(variant) { return }
        let near = NearMiss.hint(variant, among: names)
        fault(pointer, "unknown-variant", "is none of the variants\(near)")
    }

    private mutating func serving(_ serving: FlagServing, _ rules: FlagRules, _ pointer: String) {
        switch (serving.variant, serving.split?.items) {
        case (let variant?, nil): known(variant.text, rules, "\(pointer)/variant")
        case (nil, let split?):
            for (index, part) in split.enumerated() {
                known(part.variant.text, rules, "\(pointer)/split/\(index)/variant")
            }
            if split.reduce(0, { $0 + $1.weight.value }) != Int(FlagDraw.buckets) {
                fault("\(pointer)/split", "wrong-sum", "the weights must together be 10000")
            }
        case (nil, nil), (.some, .some):
            fault(pointer, "one-of", "must name either a variant or a split")
        }
    }

    private mutating func rule(_ rule: FlagRule, _ rules: FlagRules, _ pointer: String) {
        serving(rule.serve, rules, "\(pointer)/serve")
        conditions(rule.conditions?.items ?? [], "\(pointer)/conditions")
        for (index, segment) in (rule.segments?.items ?? []).enumerated()
        where set.segments[segment.text] == nil {
            fault("\(pointer)/segments/\(index)", "unknown-segment", "there is no segment of this key")
        }
    }

    private mutating func conditions(_ conditions: [FlagCondition], _ pointer: String) {
        for (index, condition) in conditions.enumerated() {
            if let reason = condition.fault { fault("\(pointer)/\(index)/values", "invalid", reason) }
        }
    }

    private mutating func prerequisites(_ rules: FlagRules) {
        for (index, prerequisite) in (rules.prerequisites?.items ?? []).enumerated() {
            let pointer = "/rules/prerequisites/\(index)"
            guard
                let other = set.flags[prerequisite.flag.text]
                    ?? (prerequisite.flag.text == key
                        ? FlagState(
                            key: key, isOn: true, salt: "", rules: rules, version: 0) : nil)
            else {
                fault("\(pointer)/flag", "unknown-flag", "there is no flag of this key")
                continue
            }
            if prerequisite.variants.items.isEmpty {
                fault("\(pointer)/variants", "too-few", "must name a variant")
            }
            for (place, variant) in prerequisite.variants.items.enumerated() {
                known(variant.text, other.rules, "\(pointer)/variants/\(place)")
            }
        }
        if let ring = set.ring(from: key, with: rules) {
            fault(
                "/rules/prerequisites", "ring",
                "the flags would wait for each other: \(ring.joined(separator: " → "))")
        }
    }

    /// Of a segment's conditions alone.
    static func faults(in conditions: [FlagCondition], at pointer: String) -> [Fault] {
        var check = FlagRulesCheck(set: .empty, key: "")
        check.conditions(conditions, pointer)
        return check.found
    }
}
