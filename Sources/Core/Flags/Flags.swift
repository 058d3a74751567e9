import API
import Wire

/// A flag of the product, declared by the code that asks for it. Operators may set rules for it; until they do, it is
/// what is declared here.
public struct ProductFlag: Sendable {
    public let key: String
    public let summary: String
    public let isOnByDefault: Bool

    public init(_ key: String, _ summary: String, isOnByDefault: Bool = false) {
        self.key = key
        self.summary = summary
        self.isOnByDefault = isOnByDefault
    }
}

/// Asks flags of the product from memory, in a few microseconds.
public enum Flags {
    public static func isOn(_ flag: ProductFlag, for call: Call) -> Bool {
        isOn(flag, for: FlagContext(of: call), in: call.environment)
    }

    public static func isOn(_ flag: ProductFlag, for context: FlagContext, in environment: Environment)
        -> Bool
    {
        let store = environment[FlagStore.self]
        store.saw(flag.key, owner: FlagStore.system)
        return store.system.decide(flag.key, for: context)?.value.boolValue ?? flag.isOnByDefault
    }
}
