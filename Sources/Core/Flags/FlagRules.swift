import API
import Wire

/// How a flag decides: the answers it can give, and who gets which.
public struct FlagRules: Codable, Hashable, Sendable {
    /// All values are of one type; the last takes what rounding leaves.
    public var variants: UpTo<20, FlagVariant>
    /// The answer while the flag is off, or a prerequisite is not met.
    public var offVariant: Text<60>
    /// For whom no rule decides.
    public var `default`: FlagServing
    /// Asked in their order; the first that fits and has drawn the unit decides.
    public var rules: UpTo<50, FlagRule>?
    public var prerequisites: UpTo<10, FlagPrerequisite>?

    public init(
        variants: [FlagVariant], offVariant: String, default serving: FlagServing, rules: [FlagRule] = [],
        prerequisites: [FlagPrerequisite] = []
    ) {
        self.variants = UpTo(variants) ?? UpTo([])!
        self.offVariant = Text(unchecked: offVariant)
        self.default = serving
        self.rules = UpTo(rules)
        self.prerequisites = UpTo(prerequisites)
    }

    /// On or off, with nothing in between.
    public static func plain(isOn: Bool = true) -> FlagRules {
        FlagRules(
            variants: [FlagVariant("on", true), FlagVariant("off", false)], offVariant: "off",
            default: FlagServing(variant: isOn ? "on" : "off"))
    }

    func variant(_ name: String) -> FlagVariant? { variants.items.first { $0.name.text == name } }
}

/// One of the answers of a flag.
public struct FlagVariant: Codable, Hashable, Sendable {
    public let name: Text<60>
    public let value: JSON

    public init(_ name: String, _ value: JSON) {
        self.name = Text(unchecked: name)
        self.value = value
    }
}

/// A variant, or a draw among several.
public struct FlagServing: Codable, Hashable, Sendable {
    public let variant: Text<60>?
    /// Weights in hundredths of a percent, together 10000.
    public let split: UpTo<20, FlagWeight>?
    /// The attribute whose value is drawn: the same value always gets the same answer.
    public let bucketBy: Text<60>?

    public init(variant: String? = nil, split: [FlagWeight]? = nil, bucketBy: String? = nil) {
        self.variant = variant.map { Text(unchecked: $0) }
        self.split = split.flatMap { UpTo($0) }
        self.bucketBy = bucketBy.map { Text(unchecked: $0) }
    }
}

public struct FlagWeight: Codable, Hashable, Sendable {
    public let variant: Text<60>
    public let weight: Whole<0, 10000>

    public init(_ variant: String, _ weight: Int) {
        self.variant = Text(unchecked: variant)
        self.weight = Whole(unchecked: weight)
    }
}

/// For whom something else than the default holds.
public struct FlagRule: Codable, Hashable, Sendable {
    public let name: OptionalText<120>?
    /// All must contain the context.
    public let segments: UpTo<10, Text<60>>?
    /// All must hold.
    public let conditions: UpTo<20, FlagCondition>?
    /// The share of those who fit that the rule takes, in hundredths of a percent; absent, all.
    public let rollout: Whole<0, 10000>?
    public let serve: FlagServing

    public init(
        name: String? = nil, segments: [String] = [], conditions: [FlagCondition] = [], rollout: Int? = nil,
        serve: FlagServing
    ) {
        self.name = name.map { OptionalText(unchecked: $0) }
        self.segments = UpTo(segments.map { Text(unchecked: $0) })
        self.conditions = UpTo(conditions)
        self.rollout = rollout.map { Whole(unchecked: $0) }
        self.serve = serve
    }
}

/// Another flag that must have given one of these variants.
public struct FlagPrerequisite: Codable, Hashable, Sendable {
    public let flag: Text<60>
    public let variants: UpTo<20, Text<60>>

    public init(_ flag: String, _ variants: [String]) {
        self.flag = Text(unchecked: flag)
        self.variants = UpTo(variants.map { Text(unchecked: $0) }) ?? UpTo([])!
    }
}

extension FlagRules: FieldNotes {
    public static let fieldNotes = [
        "variants": "The answers the flag can give; their values are of one type.",
        "off_variant": "The answer while the flag is off or a prerequisite is not met.",
        "default": "For whom no rule decides.",
        "rules": "Asked in their order; the first that fits and whose share holds the unit decides.",
        "prerequisites": "Other flags that must have given one of the named variants.",
    ]
}

extension FlagServing: FieldNotes {
    public static let fieldNotes = [
        "split": "A draw instead of one variant; weights in hundredths of a percent, together 10000.",
        "bucket_by":
            "The attribute that is drawn by, `targetingKey` when absent; without a value for it the flag's default holds.",
    ]
}

extension FlagRule: FieldNotes {
    public static let fieldNotes = [
        "segments": "Keys of segments; all must contain the context.",
        "conditions": "All must hold.",
        "rollout": "The share of those who fit, in hundredths of a percent. Raising it only adds units.",
    ]
}
