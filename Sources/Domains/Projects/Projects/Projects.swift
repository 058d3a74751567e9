import API
import Core
import Postgres
import Wire

/// The projects of a company.
enum Projects {
    @RouteList static var routes: [Route] {
        GET("/v1/projects", "List projects", .can(.projectsRead), list)
            .describe(
                """
                Those the caller may see, without the archived ones unless `is_archived=true` or `status` asks for them. \
                `due` sorts those without a date last.
                """
            )
        POST("/v1/projects", "Create a project", .can(.projectsWrite), create)
            .describe(
                "With six states to change as one likes. Whoever creates it and the lead are its managers."
            )
            .problems(.projectKeyTaken, .projectDatesReversed, .quotaUsedUp)
            .example(body: [
                "name": "Website relaunch", "key": "WEB", "start_on": "2026-03-02", "is_active": true,
            ])
        GET("/v1/projects/{id}", "Read a project", .can(.projectsRead), read)
        PATCH("/v1/projects/{id}", "Change a project", .can(.projectsRead), change)
            .describe(
                """
                Takes the right to manage it. With another time zone the due moments of its tasks are moved to the same \
                local times there.
                """
            )
            .problems(.projectArchived, .projectDatesReversed)
            .example(body: ["name": "Website relaunch 2026", "due_on": "2026-06-30"])
    }

    struct Filter: ListFilter {
        let status: [ProjectStatus]?
        let leadId: UUID?
        let memberId: UUID?
        let visibility: ProjectVisibility?
        let isFavourite: Bool?
        let isArchived: Bool?
        let dueOn: Bounds<LocalDate>?
        let createdAt: Bounds<Timestamp>?

        static let sorts = ["name", "key", "due", "-created_at", "-updated_at"]
        static let search = ["name", "key", "description"]
        static let ownFields: Set<String> = ["member_id", "is_archived"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<Project> {
        var sql = try select(call, also: ", coalesce(p.due_on, '9999-12-31') AS due")
        if let member = list.filter.memberId {
            sql += """
                 AND EXISTS (SELECT 1 FROM project_members x
                              WHERE x.company_id = p.company_id AND x.project_id = p.id AND x.member_id = \(member))
                """
        }
        if let isArchived = list.filter.isArchived {
            sql += " AND (p.status = 'archived') = \(isArchived)"
        } else if list.filter.status == nil {
            sql += " AND p.status <> 'archived'"
        }
        return try await call.page(list, sql)
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Project> {
        try Single(await rows(id.value, call))
    }

    static func create(_ call: Call, _ body: Body<NewProject>) async throws -> Created<Project> {
        let (company, member) = (try call.company, try call.member)
        let draft = ProjectDraft(
            name: body.name.text, key: body.key?.text, description: body.description?.text,
            visibility: body.visibility ?? .company, leadId: body.leadId ?? member, color: body.color?.text,
            timeZone: body.timeZone?.text, startOn: body.startOn, dueOn: body.dueOn,
            isActive: body.isActive ?? false,
            createdBy: member)
        let actor = call.actor
        try await call.db.transaction { tx in
            _ = try await ProjectFounding.found(draft, by: actor, company: company, in: tx)
        }
        return try Created(await rows(draft.id, call))
    }

    static func change(_ call: Call, _ id: Path<UUID>, _ body: Patch<ProjectChange>) async throws -> Single<
        Project
    > {
        let change = body.value
        try await call.db.transaction { tx in try await apply(change, to: id.value, call, tx) }
        return try Single(await rows(id.value, call))
    }

    @inline(never)
    private static func apply(_ change: ProjectChange, to id: UUID, _ call: Call, _ tx: Transaction)
        async throws
    {
        let company = try call.company
        let head = try await ProjectAccess.require(.manage, in: id, call, tx)
        if let lead = change.leadId, let lead {
            try await ProjectMembers.requireActive([lead], at: "/lead_id", company, tx)
        }
        let before = try await tx.query(
            """
            SELECT name, description, visibility, lead_id, color, time_zone, start_on, due_on, wip_policy, version
              FROM projects WHERE company_id = \(company) AND id = \(id) FOR UPDATE
            """)
        guard let row = before.first else { throw Problem.notFound }
        try call.requireVersion(row.get("version"))
        var changes = Changes()
        changes.set("name", change.name)
        changes.set("description", change.description)
        changes.set("visibility", change.visibility)
        changes.set("lead_id", change.leadId)
        changes.set("color", change.color)
        changes.set("time_zone", change.timeZone)
        changes.set("start_on", change.startOn)
        changes.set("due_on", change.dueOn)
        changes.set("wip_policy", change.wipPolicy)
        let (old, new) = Audit.changed(try JSON(row: row), try JSON(encoding: change))
        var statements: [SQL] = [
            "UPDATE projects SET \(fragment: changes.sql) WHERE company_id = \(company) AND id = \(id)"
        ]
        if let lead = change.leadId, let lead {
            statements.append(ProjectMembers.insert([(lead, .manager)], to: id, company))
        }
        if let zone = change.timeZone { statements.append(moveDueTimes(of: id, to: zone.text, company)) }
        statements.append(
            Audit.sql(
                Audit.Entry("project.changed", on: "project", id, before: old, after: new), by: call.actor,
                company: company))
        _ = try await tx.batch(statements)
        try await Events.record(
            ProjectEvents.updated,
            .init(
                projectId: id, key: head.key, name: change.name?.text ?? head.name, status: head.status,
                changed: new.objectValue?.members.map(\.key) ?? []),
            on: "project", id, by: call.actor, company: company, in: tx)
    }

    /// The same local times in the new zone; without a time of day it is due at the end of its day.
    private static func moveDueTimes(of project: UUID, to zone: String, _ company: UUID) -> SQL {
        """
        UPDATE tasks SET due_at = \(fragment: TaskRows.dueAt("tasks", zone: "\(zone)"))
         WHERE company_id = \(company) AND project_id = \(project) AND due_on IS NOT NULL
        """
    }

    static func rows(_ id: UUID, _ call: Call) async throws -> Rows {
        try await call.db.query("\(fragment: select(call)) AND p.id = \(id)")
    }

    /// Projects the caller may see, with what they are to him.
    static func select(_ call: Call, also columns: SQL = "") throws -> SQL {
        """
        SELECT p.id, p.key, p.name, p.description, p.status, p.visibility, p.lead_id, p.color, p.cover_file_id, p.time_zone,
               p.start_on, p.due_on, p.wip_policy,
               EXISTS (SELECT 1 FROM project_favourites f
                        WHERE f.company_id = p.company_id AND f.member_id = \(try call.member)
                          AND f.project_id = p.id) AS is_favourite,
               (ARRAY['see', 'comment', 'contribute', 'manage'])[\(fragment: try ProjectAccess.level(call)) + 1] AS right,
               p.completed_at, p.archived_at, p.created_by, p.version, p.created_at,
               p.updated_at\(fragment: columns)
          FROM projects p
         WHERE p.company_id = \(try call.company) AND \(fragment: try ProjectAccess.visible(call))
        """
    }
}
