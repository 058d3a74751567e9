import API
import Core
import Postgres
import Wire

/// Who takes part in a project, and as what.
enum ProjectMembers {
    @RouteList static var routes: [Route] {
        GET("/v1/projects/{id}/members", "List a project's members", .can(.projectsRead), list)
        POST("/v1/projects/{id}/members", "Put a member into a project", .can(.projectsRead), add)
            .operation("addProjectMember").problems(.projectArchived, .tooManyProjectMembers)
            .describe("Takes the right to manage it. For somebody who is in it already the role is changed.")
        PATCH(
            "/v1/projects/{id}/members/{member_id}", "Give a member of a project another role",
            .can(.projectsRead), change
        )
        .problems(.projectArchived, .leadManages)
        DELETE(
            "/v1/projects/{id}/members/{member_id}", "Take a member out of a project", .can(.projectsRead),
            remove
        )
        .operation("removeProjectMember").problems(.leadManages)
        .describe("Takes the right to manage it, or being that member. Tasks stay assigned.")
    }

    struct ProjectMember: Codable, Sendable {
        let memberId: UUID
        let userId: UUID
        let name: String
        let avatarUrl: String?
        let role: ProjectRole
        let isLead: Bool
        let isActive: Bool
        let addedAt: Timestamp
    }

    struct NewProjectMember: Codable, Sendable {
        let memberId: UUID
        let role: ProjectRole
    }

    struct ProjectMemberChange: Codable, Sendable {
        let role: ProjectRole?
    }

    struct Filter: ListFilter {
        let role: [ProjectRole]?
        let isActive: Bool?

        static let sorts = ["name", "-added_at"]
        static let search = ["name"]
    }

    static func list(_ call: Call, _ id: Path<UUID>, _ list: List<Filter>) async throws -> Page<ProjectMember>
    {
        _ = try await ProjectAccess.require(.see, in: id.value, call)
        return try await call.page(list, select(of: id.value, call.company, also: ", place.member_id AS id"))
    }

    static func add(_ call: Call, _ id: Path<UUID>, _ body: Body<NewProjectMember>) async throws -> Created<
        ProjectMember
    > {
        let (member, role) = (body.memberId, body.role)
        try await call.db.transaction { tx in try await put(member, role, into: id.value, call, tx) }
        return try Created(
            await row(member, of: id.value, call), at: "/v1/projects/\(id.value)/members/\(member)")
    }

    @inline(never)
    private static func put(
        _ member: UUID, _ role: ProjectRole, into id: UUID, _ call: Call, _ tx: Transaction
    ) async throws {
        let company = try call.company
        let head = try await ProjectAccess.require(.manage, in: id, call, tx, locking: true)
        try await requireActive([member], at: "/member_id", company, tx)
        if head.leadId == member, role != .manager { throw Problem(.leadManages) }
        let isBelow = SQL.below(
            ProjectLimits.membersMax,
            "SELECT count(*) FROM project_members WHERE company_id = \(company) AND project_id = \(id)",
            else: .tooManyProjectMembers)
        let rows = try await tx.query(
            """
            INSERT INTO project_members AS place (company_id, project_id, member_id, role)
            SELECT \(company), \(id), \(member), \(role) WHERE \(fragment: isBelow)
            ON CONFLICT ON CONSTRAINT project_members_pkey DO UPDATE SET role = EXCLUDED.role
             WHERE place.role <> EXCLUDED.role
            RETURNING xmax = 0 AS is_new
            """)
        guard let row = rows.first else { return }
        let isNew = try row.get("is_new", as: Bool.self)
        try await record(
            isNew ? "project.member_added" : "project.member_changed", head, member, role, call, tx)
        if isNew { try await ProjectNews.added(member, as: role, to: head, by: call.actor, company, tx) }
    }

    static func change(
        _ call: Call, _ id: Path<UUID>, _ member: Path<UUID>, _ body: Patch<ProjectMemberChange>
    ) async throws -> Single<ProjectMember> {
        let role = body.value.role
        try await call.db.transaction { tx in
            try await change(member.value, to: role, in: id.value, call, tx)
        }
        return try Single(await row(member.value, of: id.value, call))
    }

    @inline(never)
    private static func change(
        _ member: UUID, to wanted: ProjectRole?, in id: UUID, _ call: Call, _ tx: Transaction
    ) async throws {
        let company = try call.company
        let head = try await ProjectAccess.require(.manage, in: id, call, tx, locking: true)
        let changed = try await tx.query(
            """
            UPDATE project_members SET role = coalesce(\(wanted), role)
             WHERE company_id = \(company) AND project_id = \(id) AND member_id = \(member) RETURNING role
            """)
        guard let row = changed.first else { throw Problem.notFound }
        let role = try row.get("role", as: ProjectRole.self)
        if head.leadId == member, role != .manager { throw Problem(.leadManages) }
        try await record("project.member_changed", head, member, role, call, tx)
    }

    static func remove(_ call: Call, _ id: Path<UUID>, _ member: Path<UUID>) async throws -> NoContent {
        try await call.db.transaction { tx in try await remove(member.value, from: id.value, call, tx) }
        return NoContent()
    }

    @inline(never)
    private static func remove(_ member: UUID, from id: UUID, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        let isOwnWish = try call.member == member
        let head = try await ProjectAccess.require(
            isOwnWish ? .see : .manage, in: id, call, tx, locking: true, evenArchived: true)
        let gone = try await tx.query(
            """
            DELETE FROM project_members
             WHERE company_id = \(company) AND project_id = \(id) AND member_id = \(member) RETURNING role
            """)
        guard let row = gone.first else { throw Problem.notFound }
        if head.leadId == member { throw Problem(.leadManages) }
        try await record("project.member_removed", head, member, try row.get("role"), call, tx)
    }

    @inline(never)
    private static func record(
        _ action: String, _ head: ProjectHead, _ member: UUID, _ role: ProjectRole, _ call: Call,
        _ tx: Transaction
    ) async throws {
        let company = try call.company
        let entry = Audit.Entry(
            action, on: "project", head.id,
            after: ["member_id": .string(member.description), "role": .string(role.rawValue)])
        _ = try await tx.batch([
            Audit.sql(entry, by: call.actor, company: company),
            ProjectEvents.updated(head, ["members"], by: call.actor, company),
        ])
    }

    private static func row(_ member: UUID, of project: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query(
            "\(fragment: select(of: project, call.company)) AND place.member_id = \(member)")
    }

    private static func select(of project: UUID, _ company: UUID, also columns: SQL = "") -> SQL {
        """
        SELECT place.member_id, m.user_id, u.name, u.avatar_url, place.role,
               coalesce(p.lead_id = place.member_id, false) AS is_lead, m.status = 'active' AS is_active, place.added_at
               \(fragment: columns)
          FROM project_members place
          JOIN projects p ON p.company_id = place.company_id AND p.id = place.project_id
          JOIN memberships m ON m.company_id = place.company_id AND m.id = place.member_id
          JOIN users u ON u.id = m.user_id
         WHERE place.company_id = \(company) AND place.project_id = \(project)
        """
    }

    /// Throws unless all are active members of the company, and keeps them so until the transaction ends.
    @inline(never)
    static func requireActive(_ members: [UUID], at pointer: String, _ company: UUID, _ tx: Transaction)
        async throws
    {
        if members.isEmpty { return }
        // FOR SHARE: nobody who leaves in this moment is given a place.
        let rows = try await tx.query(
            """
            SELECT id FROM memberships
             WHERE company_id = \(company) AND id = ANY(\(members)) AND status = 'active' FOR SHARE
            """)
        let active = Set(try rows.map { try $0.get("id", as: UUID.self) })
        let stranger = members.first { !active.contains($0) }
        if stranger != nil {
            throw Problem.unprocessable(
                pointer, "unknown-member", "names nobody who is an active member of the company")
        }
    }

    /// Whoever is in it already keeps his role.
    static func insert(_ members: [(id: UUID, role: ProjectRole)], to project: UUID, _ company: UUID) -> SQL {
        """
        INSERT INTO project_members (company_id, project_id, member_id, role)
        SELECT \(company), \(project), place.member, place.role
          FROM unnest(\(members.map(\.id))::uuid[], \(members.map(\.role.rawValue))::text[]) AS place (member, role)
        ON CONFLICT DO NOTHING
        """
    }
}
