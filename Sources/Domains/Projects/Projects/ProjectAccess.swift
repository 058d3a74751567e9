import API
import Core
import Postgres
import Wire

/// What a check of rights learns of the project on its way.
struct ProjectHead: Sendable {
    let id: UUID
    let key: String
    let name: String
    let status: ProjectStatus
    let timeZone: String
    let leadId: UUID?
    let right: ProjectRight
}

/// Who may do what in which project: one rule, for single projects and for lists over all of them.
///
/// A role in the project goes before the roles in the company, up or down. The lead is a manager, and so is everywhere
/// whoever holds projects:manage. Without a role, those who may write tasks contribute to the projects that are open to
/// the company, and others see them; a client sees only the projects he is a member of. An API key never does more than
/// its scopes say. What one may not see does not exist.
enum ProjectAccess {
    /// A condition on the row of `projects` under `alias`: it is not deleted, and the caller may see it.
    static func visible(_ call: Call, _ alias: String = "p") throws -> SQL {
        _ = try call.company
        guard let principal = call.principal else { throw Problem.unauthorized }
        return visible(principal, alias)
    }

    /// The same for what is done in somebody's name without a call of his.
    static func visible(_ principal: Principal, _ alias: String = "p") -> SQL {
        "(\(unescaped: alias).deleted_at IS NULL AND \(fragment: isLetIn(principal, alias)))"
    }

    /// A condition: the caller could see it before it was put into the trash.
    static func visibleInTrash(_ call: Call, _ alias: String = "p") throws -> SQL {
        guard let principal = call.principal else { throw Problem.unauthorized }
        return "(\(unescaped: alias).deleted_at IS NOT NULL AND \(fragment: isLetIn(principal, alias)))"
    }

    private static func isLetIn(_ principal: Principal, _ alias: String) -> SQL {
        ProjectSight.isLetIn(principal, alias)
    }

    /// A condition on the row of `projects` under `alias`: the caller has at least this right in it.
    static func permits(_ right: ProjectRight, _ call: Call, _ alias: String = "p") throws -> SQL {
        let visible = try visible(call, alias)
        if right == .see { return visible }
        return
            "(\(fragment: visible) AND \(fragment: try level(call, alias)) >= \(unescaped: String(right.rawValue)))"
    }

    /// The caller's right in the row of `projects` under `alias`, as its number; only meant for rows he may see.
    static func level(_ call: Call, _ alias: String = "p") throws -> SQL {
        let (p, ceiling) = (alias, ceiling(call).rawValue)
        if call.can(.projectsManage) { return "\(unescaped: String(ceiling))" }
        let member = try call.member
        let without =
            call.can(.tasksWrite) && !(call.principal.map(ProjectSight.isGuest) ?? true)
            ? ProjectRight.contribute.rawValue : 0
        return """
            least(\(unescaped: String(ceiling)), CASE WHEN \(unescaped: p).lead_id = \(member) THEN 3 ELSE coalesce(
                (SELECT CASE place.role WHEN 'manager' THEN 3 WHEN 'contributor' THEN 2 WHEN 'commenter' THEN 1 ELSE 0 END
                   FROM project_members place
                  WHERE place.company_id = \(unescaped: p).company_id AND place.project_id = \(unescaped: p).id
                    AND place.member_id = \(member)),
                CASE \(unescaped: p).visibility WHEN 'company' THEN \(unescaped: String(without)) ELSE 0 END) END)
            """
    }

    /// The project, when the caller has this right in it. 404 when he may not see it, 403 when he may do less,
    /// 409 `project-archived` for contributing to and managing one that is archived.
    ///
    /// - Parameters:
    ///   - locking: its row is kept as it is until the transaction ends (FOR SHARE).
    ///   - evenArchived: for what may be done to an archived project: restoring and deleting it, leaving it.
    @inline(never)
    static func require(
        _ right: ProjectRight, in project: UUID, _ call: Call, _ tx: Transaction? = nil,
        locking: Bool = false,
        evenArchived: Bool = false
    ) async throws -> ProjectHead {
        let from: SQL = "projects p WHERE p.company_id = \(try call.company) AND p.id = \(project)"
        let rows = try await find(from, call, tx, locking: locking)
        return try head(rows, right, evenArchived: evenArchived)
    }

    /// The same for the project of a task that is not deleted.
    @inline(never)
    static func require(
        _ right: ProjectRight, onTask task: UUID, _ call: Call, _ tx: Transaction? = nil,
        locking: Bool = false
    ) async throws -> ProjectHead {
        let from: SQL = """
            tasks t JOIN projects p ON p.company_id = t.company_id AND p.id = t.project_id
             WHERE t.company_id = \(try call.company) AND t.id = \(task) AND t.deleted_at IS NULL
            """
        let rows = try await find(from, call, tx, locking: locking)
        return try head(rows, right, evenArchived: false)
    }

    /// The same for the project of a sprint.
    @inline(never)
    static func require(
        _ right: ProjectRight, onSprint sprint: UUID, _ call: Call, _ tx: Transaction? = nil,
        locking: Bool = false
    ) async throws -> ProjectHead {
        let from: SQL = """
            sprints s JOIN projects p ON p.company_id = s.company_id AND p.id = s.project_id
             WHERE s.company_id = \(try call.company) AND s.id = \(sprint)
            """
        let rows = try await find(from, call, tx, locking: locking)
        return try head(rows, right, evenArchived: false)
    }

    /// A key writes nothing that its scopes do not name, whatever its owner may.
    private static func ceiling(_ call: Call) -> ProjectRight {
        guard call.principal?.apiKeyId != nil else { return .manage }
        if call.can(.projectsWrite) || call.can(.projectsManage) { return .manage }
        return call.can(.tasksWrite) ? .contribute : .see
    }

    private static func find(_ from: SQL, _ call: Call, _ tx: Transaction?, locking: Bool) async throws
        -> Rows
    {
        let sql: SQL = """
            SELECT p.id, p.key, p.name, p.status, p.time_zone, p.lead_id, \(fragment: try level(call)) AS level
              FROM \(fragment: from) AND \(fragment: try visible(call))\(unescaped: locking ? " FOR SHARE OF p" : "")
            """
        if let tx { return try await tx.query(sql) }
        return try await call.db.query(sql)
    }

    private static func head(_ rows: Rows, _ wanted: ProjectRight, evenArchived: Bool) throws -> ProjectHead {
        guard let row = rows.first else { throw Problem.notFound }
        let head = ProjectHead(
            id: try row.get("id"), key: try row.get("key"), name: try row.get("name"),
            status: try row.get("status"),
            timeZone: try row.get("time_zone"), leadId: try row.get("lead_id"),
            right: ProjectRight(rawValue: try row.get("level")) ?? .see)
        guard head.right >= wanted else {
            throw Problem.forbidden(
                "This takes the right to \(wanted.name) in project \(head.key); yours is to \(head.right.name)."
            )
        }
        if head.status == .archived, wanted >= .contribute, !evenArchived { throw Problem(.projectArchived) }
        return head
    }
}
