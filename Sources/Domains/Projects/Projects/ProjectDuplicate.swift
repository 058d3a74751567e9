import API
import Core
import Postgres
import Wire

/// Making a project after another.
enum ProjectDuplicate {
    @RouteList static var routes: [Route] {
        POST("/v1/projects/{id}/duplicate", "Make a project after another", .can(.projectsWrite), duplicate)
            .operation("duplicateProject").problems(.projectKeyTaken, .quotaUsedUp)
            .describe(
                """
                A draft with the same states; if wanted with the same members, and with the milestones and the first \
                \(ProjectTemplates.tasksMax) tasks, all of them to do again, their days moved to `start_on`. Whoever makes it \
                leads it.
                """
            )
            .example(
                body: [
                    "name": "Website relaunch, second part", "with_members": true, "with_tasks": true,
                    "start_on": "2026-09-01",
                ])
    }

    struct DuplicateOrder: Codable, Sendable {
        let name: Text<120>
        let key: ProjectKey?
        let withMembers: Bool?
        let withTasks: Bool?
        let startOn: LocalDate?
    }

    static func duplicate(_ call: Call, _ id: Path<UUID>, _ body: Body<DuplicateOrder>) async throws
        -> Created<Project>
    {
        let order = body.value
        let new = try await call.db.transaction { tx in try await copy(id.value, order, call, tx) }
        return try Created(await Projects.rows(new, call), at: "/v1/projects/\(new)")
    }

    @inline(never)
    private static func copy(_ id: UUID, _ order: DuplicateOrder, _ call: Call, _ tx: Transaction)
        async throws -> UUID
    {
        let (company, member) = (try call.company, try call.member)
        _ = try await ProjectAccess.require(.see, in: id, call, tx)
        let rows = try await tx.query(
            """
            SELECT description, visibility, color, time_zone FROM projects WHERE company_id = \(company) AND id = \(id)
            """)
        guard let row = rows.first else { throw Problem.notFound }
        var draft = ProjectDraft(
            name: order.name.text, key: order.key?.text, description: try row.get("description"),
            visibility: try row.get("visibility"), leadId: member, color: try row.get("color"),
            timeZone: try row.get("time_zone"), createdBy: member)
        draft.states = try await states(of: id, company, tx)
        draft.startOn = order.startOn
        if order.withMembers ?? false { draft.members = try await members(of: id, company, tx) }
        _ = try await ProjectFounding.found(draft, by: call.actor, company: company, in: tx)
        if order.withTasks ?? false {
            let (content, base) = try await TemplateLaying.content(of: id, company, tx)
            let laying = TemplateLaying(
                project: draft.id, startOn: order.startOn ?? base, reporter: member, company: company)
            try await laying.lay(content, by: call.actor, in: tx)
        }
        return draft.id
    }

    @inline(never)
    static func states(of project: UUID, _ company: UUID, _ tx: Transaction) async throws -> [StateDraft] {
        let rows = try await tx.query(
            """
            SELECT name, category, color, is_initial, wip_limit FROM project_states
             WHERE company_id = \(company) AND project_id = \(project) ORDER BY position, id
            """)
        return try rows.map { row in
            StateDraft(
                name: try row.get("name"), category: try row.get("category"), color: try row.get("color"),
                isInitial: try row.get("is_initial"), wipLimit: try row.get("wip_limit"))
        }
    }

    @inline(never)
    private static func members(
        of project: UUID, _ company: UUID, _ tx: Transaction
    ) async throws -> [(id: UUID, role: ProjectRole)] {
        let rows = try await tx.query(
            """
            SELECT place.member_id, place.role FROM project_members place
              JOIN memberships m ON m.company_id = place.company_id AND m.id = place.member_id AND m.status = 'active'
             WHERE place.company_id = \(company) AND place.project_id = \(project)
            """)
        return try rows.map { (try $0.get("member_id"), try $0.get("role")) }
    }
}
