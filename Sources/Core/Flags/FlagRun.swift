import Wire

/// One decision under way. Each unit is drawn once, however many rules ask for it.
struct FlagRun {
    let set: FlagSet
    let context: FlagContext
    let isTraced: Bool
    private(set) var steps: [FlagExplanation.Step] = []
    private var depth = 0

    /// Prerequisites of prerequisites; rings are refused when they are made, this only bounds the stack.
    private static let depthMax = 20

    init(set: FlagSet, context: FlagContext, isTraced: Bool) {
        self.set = set
        self.context = context
        self.isTraced = isTraced
    }

    mutating func decide(_ key: String) -> FlagDecision? {
        guard let flag = set.flags[key] else { return nil }
        let off = flag.rules.offVariant.text
        if flag.isArchived { return answer(flag, off, .archived) }
        if !flag.isOn { return answer(flag, off, .off) }
        for prerequisite in flag.rules.prerequisites?.items ?? [] where !isMet(prerequisite) {
            return answer(flag, off, .prerequisite)
        }
        var drawn: [String: FlagDraw] = [:]
        for (index, rule) in (flag.rules.rules?.items ?? []).enumerated() {
            let failed = firstFailure(of: rule)
            if failed == nil, let decision = serve(rule.serve, rule.rollout?.value, flag, index, &drawn) {
                trace(flag, index, rule, nil, decision.bucket)
                return decision
            }
            trace(flag, index, rule, failed, drawn[rule.serve.unit]?.bucket)
        }
        return serve(flag.rules.default, nil, flag, nil, &drawn) ?? answer(flag, off, .fallback)
    }

    private mutating func isMet(_ prerequisite: FlagPrerequisite) -> Bool {
        guard depth < Self.depthMax else { return false }
        depth += 1
        defer { depth -= 1 }
        guard let decision = decide(prerequisite.flag.text), decision.reason != .off,
            decision.reason != .archived
        else { return false }
        return prerequisite.variants.items.contains { $0.text == decision.variant }
    }

    private func firstFailure(of rule: FlagRule) -> String? {
        for segment in rule.segments?.items ?? [] {
            guard let conditions = set.segments[segment.text] else { return "there is no segment \(segment)" }
            if !conditions.allSatisfy({ $0.holds(in: context) }) { return "not in the segment \(segment)" }
        }
        return rule.conditions?.items.first { !$0.holds(in: context) }.map { condition in
            "\(condition.attribute) \(condition.operator.rawValue)\(condition.isNegated == true ? ", negated," : "") does not hold"
        }
    }

    /// Nil when the unit is not within the share. Without a unit the flag's default holds, never chance.
    private func serve(
        _ serving: FlagServing, _ rollout: Int?, _ flag: FlagState, _ rule: Int?,
        _ drawn: inout [String: FlagDraw]
    ) -> FlagDecision? {
        let reason: FlagDecision.Reason = rule == nil ? .fallback : .rule
        let isShare = rollout.map { $0 < Int(FlagDraw.buckets) } ?? false
        guard isShare || serving.split != nil else {
            return answer(flag, serving.variant?.text ?? flag.rules.offVariant.text, reason, rule: rule)
        }
        guard let draw = drawn[serving.unit] ?? draw(serving.unit, flag) else {
            return answer(flag, plainDefault(of: flag), .missingUnit, rule: rule, unit: serving.unit)
        }
        drawn[serving.unit] = draw
        if let rollout, !draw.isWithin(rollout) { return nil }
        return answer(
            flag, serving.variant(by: draw) ?? flag.rules.offVariant.text, reason, rule: rule, draw: draw,
            unit: serving.unit)
    }

    private func draw(_ unit: String, _ flag: FlagState) -> FlagDraw? {
        context.unit(unit).map { FlagDraw(salt: flag.salt, key: flag.key, unit: $0) }
    }

    /// A default that is itself drawn needs a unit too; then only the answer of the switched-off flag is left.
    private func plainDefault(of flag: FlagState) -> String {
        flag.rules.default.variant?.text ?? flag.rules.offVariant.text
    }

    private func answer(
        _ flag: FlagState, _ variant: String, _ reason: FlagDecision.Reason, rule: Int? = nil,
        draw: FlagDraw? = nil,
        unit: String? = nil
    ) -> FlagDecision {
        FlagDecision(
            flag: flag.key, variant: variant, value: flag.rules.variant(variant)?.value ?? .null,
            reason: reason,
            rule: rule, isDrawn: draw != nil, bucket: draw?.bucket, variantBucket: draw?.variantBucket,
            bucketBy: unit,
            version: flag.version)
    }

    private mutating func trace(
        _ flag: FlagState, _ index: Int, _ rule: FlagRule, _ failed: String?, _ bucket: Int?
    ) {
        guard isTraced else { return }
        steps.append(
            FlagExplanation.Step(
                flag: flag.key, rule: index, name: rule.name?.text, fits: failed == nil, because: failed,
                bucket: bucket,
                rollout: rule.rollout?.value))
    }
}

extension FlagServing {
    /// The attribute that is drawn by.
    var unit: String { bucketBy?.text ?? FlagContext.targetingKey }

    func variant(by draw: FlagDraw) -> String? {
        guard let split = split?.items, !split.isEmpty else { return variant?.text }
        return split[draw.place(in: split.map(\.weight.value))].variant.text
    }
}
