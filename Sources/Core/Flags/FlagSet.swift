import Wire

/// A flag as it is evaluated.
public struct FlagState: Sendable {
    public let key: String
    public let isOn: Bool
    public let isArchived: Bool
    public let salt: String
    public let rules: FlagRules
    public let version: Int64

    public init(
        key: String, isOn: Bool, isArchived: Bool = false, salt: String, rules: FlagRules, version: Int64
    ) {
        self.key = key
        self.isOn = isOn
        self.isArchived = isArchived
        self.salt = salt
        self.rules = rules
        self.version = version
    }
}

extension FlagState {
    /// The flag as a change would leave it.
    public func with(isOn: Bool?, rules: FlagRules?) -> FlagState {
        FlagState(
            key: key, isOn: isOn ?? self.isOn, isArchived: isArchived, salt: salt, rules: rules ?? self.rules,
            version: version)
    }
}

/// All flags and segments of one owner at one moment: what a decision is made from, without asking anybody.
public struct FlagSet: Sendable {
    public let flags: [String: FlagState]
    public let segments: [String: [FlagCondition]]
    /// Rises with every change of any of them.
    public let version: Int64

    public init(flags: [FlagState], segments: [String: [FlagCondition]] = [:], version: Int64 = 0) {
        self.flags = Dictionary(flags.map { ($0.key, $0) }) { first, _ in first }
        self.segments = segments
        self.version = version
    }

    public static let empty = FlagSet(flags: [])

    /// The set with one flag in another's place.
    public func with(_ flag: FlagState) -> FlagSet {
        FlagSet(
            flags: flags.values.filter { $0.key != flag.key } + [flag], segments: segments, version: version)
    }

    /// Nil when there is no such flag.
    public func decide(_ key: String, for context: FlagContext) -> FlagDecision? {
        var run = FlagRun(set: self, context: context, isTraced: false)
        return run.decide(key)
    }

    /// The same with the way there: what each rule said.
    public func explain(_ key: String, for context: FlagContext) -> FlagExplanation? {
        var run = FlagRun(set: self, context: context, isTraced: true)
        return run.decide(key).map { FlagExplanation(decision: $0, steps: run.steps) }
    }

    /// A ring of prerequisites that begins at `key`, as it would be with these rules; nil when there is none.
    public func ring(from key: String, with rules: FlagRules) -> [String]? {
        func walk(_ at: String, _ path: [String]) -> [String]? {
            if path.first == at { return path + [at] }
            // A ring that does not lead back to the start was refused when it was closed.
            if path.contains(at) { return nil }
            let next = at == key ? rules : flags[at]?.rules
            for prerequisite in next?.prerequisites?.items ?? [] {
                if let ring = walk(prerequisite.flag.text, path + [at]) { return ring }
            }
            return nil
        }
        return walk(key, [])
    }
}

/// What a flag answers, and why.
public struct FlagDecision: Codable, Sendable {
    public enum Reason: String, Codable, CaseIterable, Sendable {
        case off, archived
        case prerequisite
        /// A rule decided.
        case rule
        /// No rule did.
        case fallback = "default"
        /// It would have been drawn, but the context has no value to draw by.
        case missingUnit = "missing_unit"
    }

    public let flag: String
    public let variant: String
    public let value: JSON
    public let reason: Reason
    /// Its place among the rules, from 0.
    public let rule: Int?
    /// Whether a share or a split was drawn.
    public let isDrawn: Bool
    public let bucket: Int?
    public let variantBucket: Int?
    /// The attribute the draw went by, or would have.
    public let bucketBy: String?
    public let version: Int64
}

/// A decision and what led to it.
public struct FlagExplanation: Codable, Sendable {
    public struct Step: Codable, Sendable {
        public let flag: String
        public let rule: Int
        public let name: String?
        public let fits: Bool
        /// The first condition or segment that did not hold.
        public let because: String?
        public let bucket: Int?
        public let rollout: Int?
    }

    public let decision: FlagDecision
    public let steps: [Step]
}
