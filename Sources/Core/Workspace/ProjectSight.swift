import API
import Postgres

/// Which projects, and so which tasks, somebody sees: the rule that every domain asks that shows them.
public enum ProjectSight {
    /// A condition on the row of `projects` under `alias`: it is not deleted, and this one may see it.
    public static func visible(_ principal: Principal, _ alias: String) -> SQL {
        "(\(unescaped: alias).deleted_at IS NULL AND \(fragment: isLetIn(principal, alias)))"
    }

    /// The same whether or not it is in the trash.
    public static func isLetIn(_ principal: Principal, _ alias: String) -> SQL {
        if let manage = PermissionCatalogue.named("projects:manage"), principal.permissions.contains(manage) {
            return "TRUE"
        }
        let (p, member) = (alias, principal.memberId)
        let isOpen: SQL = isGuest(principal) ? "FALSE" : "\(unescaped: p).visibility = 'company'"
        return """
            (\(fragment: isOpen) OR \(unescaped: p).lead_id = \(member)
             OR EXISTS (SELECT 1 FROM project_members place
                         WHERE place.company_id = \(unescaped: p).company_id
                           AND place.project_id = \(unescaped: p).id AND place.member_id = \(member)))
            """
    }

    /// One let in from outside, for what he is a member of and nothing else.
    public static func isGuest(_ principal: Principal) -> Bool {
        let builtIn = (principal.standing?.roleKeys ?? []).compactMap(BuiltInRole.init(rawValue:))
        return builtIn.contains(.client) && builtIn.allSatisfy { $0 == .client }
    }
}
