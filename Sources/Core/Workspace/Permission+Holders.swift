import API
import Postgres

extension Permission {
    /// A condition on a row of memberships: this member holds the permission by one of his roles.
    public func isHeld(by member: String = "m") -> SQL {
        let builtIn = BuiltInRole.allCases.filter(roles.contains).map(\.rawValue)
        return """
            EXISTS (SELECT 1 FROM member_roles held
                      JOIN roles holding ON holding.company_id = held.company_id AND holding.id = held.role_id
                     WHERE held.company_id = \(unescaped: member).company_id AND held.member_id = \(unescaped: member).id
                       AND (holding.is_builtin AND holding.key = ANY(\(builtIn))
                            OR NOT holding.is_builtin AND \(name) = ANY(holding.permissions)))
            """
    }
}
