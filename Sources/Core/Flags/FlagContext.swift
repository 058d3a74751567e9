import API
import Wire

/// For whom a flag is asked: attributes by name.
public struct FlagContext: Sendable {
    /// The attribute that is drawn by where a flag names no other.
    public static let targetingKey = "targetingKey"

    private var attributes: JSON.Object

    public init(_ attributes: JSON.Object) { self.attributes = attributes }

    public init(_ attributes: [String: JSON]) {
        self.init(attributes.reduce(into: JSON.Object()) { $0[$1.key] = $1.value })
    }

    public subscript(name: String) -> JSON? { attributes[name] }

    /// What the draw goes by; nil when the context has no value for it.
    func unit(_ attribute: String) -> String? {
        guard let value = attributes[attribute], let text = FlagCondition.text(value), !text.isEmpty else {
            return nil
        }
        return text
    }
}

extension FlagContext {
    /// The caller of a request: user, company, plan and roles.
    public init(of call: Call) {
        var attributes = JSON.Object()
        if let principal = call.principal {
            let user = JSON.string(principal.userId.description)
            attributes[Self.targetingKey] = user
            attributes["user"] = user
            if let company = principal.companyId { attributes["company"] = .string(company.description) }
            if let standing = principal.standing {
                attributes["plan"] = .string(standing.plan)
                attributes["roles"] = .array(standing.roleKeys.map(JSON.string))
            }
        }
        self.init(attributes)
    }
}
