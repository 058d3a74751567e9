import Core
import Crypto
import Testing
import Wire

/// The draw, the conditions and the order of rules: pure, so held here without a server.
@Suite struct FlagDrawTests {
    private let units = (0..<20_000).map { "unit-\($0)" }

    private func set(
        _ rules: [FlagRule] = [], default serving: FlagServing = FlagServing(variant: "off"),
        isOn: Bool = true,
        prerequisites: [FlagPrerequisite] = [], others: [FlagState] = [],
        segments: [String: [FlagCondition]] = [:]
    ) -> FlagSet {
        let variants = [FlagVariant("on", true), FlagVariant("off", false)]
        let mine = FlagState(
            key: "mine", isOn: isOn, salt: "salt",
            rules: FlagRules(
                variants: variants, offVariant: "off", default: serving, rules: rules,
                prerequisites: prerequisites),
            version: 7)
        return FlagSet(flags: [mine] + others, segments: segments)
    }

    private func ask(_ set: FlagSet, _ context: [String: JSON]) -> FlagDecision? {
        set.decide("mine", for: FlagContext(context))
    }

    private func rollout(_ share: Int) -> FlagSet {
        set([FlagRule(rollout: share, serve: FlagServing(variant: "on"))])
    }

    @Test
    func `the bucket is the first eight bytes of the digest of salt, key and unit, modulo ten thousand`() {
        for unit in ["a", "customer-42", "ümläut", ""] {
            let digest = SHA256.digest("s1" + "checkout" + unit).bytes
            let number = digest.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            #expect(FlagDraw(salt: "s1", key: "checkout", unit: unit).bucket == Int(number % 10_000))
        }
    }

    @Test func `a growing share only adds units`() {
        var before: Set<String> = []
        for share in [0, 1, 10, 500, 2500, 5000, 9999, 10_000] {
            let flags = rollout(share)
            let now = Set(units.filter { ask(flags, ["targetingKey": .string($0)])?.variant == "on" })
            #expect(before.isSubset(of: now), "at \(share)")
            before = now
        }
        #expect(before.count == units.count, "ten thousand is everybody")
        #expect(units.allSatisfy { ask(rollout(0), ["targetingKey": .string($0)])?.variant == "off" })
    }

    @Test(arguments: [100, 1000, 2500, 5000, 9000])
    func `the share that is drawn is the share that was asked for`(share: Int) {
        let flags = rollout(share)
        let hit = units.count { ask(flags, ["targetingKey": .string($0)])?.variant == "on" }
        let expected = Double(units.count) * Double(share) / 10_000
        // Five standard deviations of a binomial: a right draw misses this once in a million.
        let slack = 5 * (expected * (1 - Double(share) / 10_000)).squareRoot()
        #expect(abs(Double(hit) - expected) < slack)
    }

    @Test func `two rules with shares draw once: the second adds only what lies beyond the first`() {
        let flags = set([
            FlagRule(rollout: 1000, serve: FlagServing(variant: "on")),
            FlagRule(rollout: 3000, serve: FlagServing(variant: "on")),
        ])
        let whole = rollout(3000)
        for unit in units.prefix(5000) {
            let context: [String: JSON] = ["targetingKey": .string(unit)]
            #expect(ask(flags, context)?.variant == ask(whole, context)?.variant)
        }
    }

    @Test func `raising a share moves nobody from one variant to another`() {
        func split(_ share: Int) -> FlagSet {
            set([
                FlagRule(
                    rollout: share,
                    serve: FlagServing(split: [FlagWeight("on", 3000), FlagWeight("off", 7000)]))
            ])
        }
        let (small, large) = (split(2000), split(8000))
        for unit in units.prefix(5000) {
            let context: [String: JSON] = ["targetingKey": .string(unit)]
            guard let first = ask(small, context), first.reason == .rule else { continue }
            #expect(ask(large, context)?.variant == first.variant)
        }
    }

    @Test func `the last bucket falls on the last variant, whatever the weights leave`() throws {
        let flags = set(default: FlagServing(split: [FlagWeight("on", 1), FlagWeight("off", 0)]))
        for unit in units.prefix(2000) {
            let decision = try #require(ask(flags, ["targetingKey": .string(unit)]))
            #expect(decision.variant == (decision.variantBucket == 0 ? "on" : "off"))
        }
    }

    @Test func `without a unit the default holds, every time`() {
        let flags = set([FlagRule(rollout: 5000, serve: FlagServing(variant: "on"))])
        for context in [[:], ["targetingKey": ""], ["targetingKey": nil], ["other": "x"]] as [[String: JSON]]
        {
            #expect((0..<20).allSatisfy { _ in ask(flags, context)?.variant == "off" })
            #expect(ask(flags, context)?.reason == .missingUnit)
        }
    }

    @Test func `a rule draws by the attribute it names`() {
        let flags = set([FlagRule(rollout: 5000, serve: FlagServing(variant: "on", bucketBy: "company"))])
        for company in 0..<200 {
            let answers = Set(
                (0..<5).map { user in
                    ask(flags, ["targetingKey": .string("user-\(user)"), "company": .string("c\(company)")])?
                        .variant
                })
            #expect(answers.count == 1, "everybody in a company gets the same")
        }
    }

    @Test func `a flag that is off, and one whose prerequisite is not met, give the off variant`() {
        let parent = { (isOn: Bool) in
            FlagState(key: "parent", isOn: isOn, salt: "p", rules: .plain(), version: 1)
        }
        let serving = FlagServing(variant: "on")
        let needs = [FlagPrerequisite("parent", ["on"])]
        #expect(ask(set(default: serving, isOn: false), [:])?.reason == .off)
        #expect(
            ask(set(default: serving, prerequisites: needs, others: [parent(true)]), [:])?.variant == "on")
        #expect(
            ask(set(default: serving, prerequisites: needs, others: [parent(false)]), [:])?.reason
                == .prerequisite)
        #expect(
            ask(set(default: serving, prerequisites: needs), [:])?.variant == "off",
            "a missing one is not met")
    }

    @Test func `a ring of prerequisites is found`() {
        let rules = { (flag: String) in
            FlagRules(
                variants: [FlagVariant("on", true)], offVariant: "on", default: FlagServing(variant: "on"),
                prerequisites: [FlagPrerequisite(flag, ["on"])])
        }
        let set = FlagSet(flags: [
            FlagState(key: "a", isOn: true, salt: "", rules: rules("b"), version: 1),
            FlagState(key: "b", isOn: true, salt: "", rules: rules("c"), version: 1),
            FlagState(key: "c", isOn: true, salt: "", rules: .plain(), version: 1),
        ])
        #expect(set.ring(from: "c", with: rules("a")) == ["c", "a", "b", "c"])
        #expect(set.ring(from: "c", with: rules("d")) == nil)
        #expect(set.ring(from: "c", with: rules("c")) == ["c", "c"])
    }

    struct Question: Sendable {
        let condition: FlagCondition
        let value: JSON?
        let holds: Bool

        init(
            _ operator: FlagOperator, _ values: [JSON], _ value: JSON?, _ holds: Bool, negated: Bool? = nil,
            ignoresCase: Bool? = nil
        ) {
            condition = FlagCondition("a", `operator`, values, isNegated: negated, ignoresCase: ignoresCase)
            self.value = value
            self.holds = holds
        }
    }

    @Test(arguments: [
        Question(.isIn, ["x", "y"], "y", true), Question(.isIn, ["x"], "X", false),
        Question(.isIn, ["x"], "X", true, ignoresCase: true), Question(.isIn, [7], 7, true),
        Question(.isIn, ["7"], 7, true),
        Question(.isIn, [true], true, true), Question(.isIn, ["x"], nil, false),
        Question(.isIn, ["x"], nil, false, negated: true),
        Question(.isIn, ["x"], "y", true, negated: true),
        Question(.isIn, ["admin"], ["viewer", "admin"], true),
        Question(.notIn, ["x"], "y", true), Question(.notIn, ["x"], "x", false),
        Question(.notIn, ["x"], nil, true),
        Question(.notIn, ["x"], ["y", "x"], false), Question(.contains, ["b"], "abc", true),
        Question(.contains, ["d"], "abc", false),
        Question(.startsWith, ["ab"], "abc", true), Question(.endsWith, ["@x.de"], "me@x.de", true),
        Question(.equals, [3], 3.0, true), Question(.greater, [3], 4, true),
        Question(.greater, [3], 3, false),
        Question(.atLeast, [3], 3, true), Question(.less, [3], "2", true), Question(.atMost, [3], 3.5, false),
        Question(.less, [3], "no number", false),
        Question(.after, ["2026-01-01T00:00:00Z"], "2026-01-01T01:00:00+00:30", true),
        Question(.before, ["2026-01-01T00:00:00Z"], "2025-12-31T23:59:59Z", true),
        Question(.before, ["2026-01-01T00:00:00Z"], "soon", false),
        Question(.sameVersion, ["1.2.3"], "1.2.3+build7", true),
        Question(.laterVersion, ["1.2.3-rc.1"], "1.2.3", true),
        Question(.laterVersion, ["1.9.0"], "1.10.0", true),
        Question(.earlierVersion, ["1.0.0-beta.11"], "1.0.0-beta.2", true),
        Question(.earlierVersion, ["1.0.0-1"], "1.0.0-alpha", false),
        Question(.laterVersion, ["1.0"], "2.0.0", false),
    ]) func `a condition holds as its operator says`(_ question: Question) {
        let context = FlagContext(question.value.map { ["a": $0] } ?? [:])
        #expect(question.condition.holds(in: context) == question.holds)
    }
}
