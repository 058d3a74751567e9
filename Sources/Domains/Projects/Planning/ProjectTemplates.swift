import API
import Core
import Postgres
import Wire

/// Templates of projects: the company's own, and three that everybody has.
enum ProjectTemplates {
    @RouteList static var routes: [Route] {
        GET("/v1/project-templates", "List the company's project templates", .can(.projectsRead), list)
        GET(
            "/v1/project-templates/built-in", "List the project templates everybody has", .can(.projectsRead),
            listBuiltIn
        )
        .operation("listBuiltInTemplates")
        GET(
            "/v1/project-templates/built-in/{key}", "Read a built-in project template", .can(.projectsRead),
            readBuiltIn
        )
        .operation("getBuiltInTemplate")
        POST(
            "/v1/project-templates/built-in/{key}/instantiate", "Make a project from a built-in template",
            .can(.projectsWrite), instantiateBuiltIn
        ).operation("instantiateBuiltInTemplate").problems(.projectKeyTaken, .quotaUsedUp)
            .example(body: ["name": "Webinar in June", "start_on": "2026-06-01"])
        POST("/v1/project-templates", "Make a project template", .can(.projectsWrite), create)
            .problems(.templateNameTaken, .tooManyTemplates)
            .describe(
                "Days are counted from the start of the project, which is day 0; `parent` and `milestone` are places in the lists."
            )
            .example(body: example)
        GET("/v1/project-templates/{id}", "Read a project template", .can(.projectsRead), read)
        PATCH("/v1/project-templates/{id}", "Change a project template", .can(.projectsWrite), change)
            .problems(.templateNameTaken)
            .describe("`content` replaces all of it.")
            .example(body: ["name": "Newsletter, monthly"])
        DELETE("/v1/project-templates/{id}", "Delete a project template", .can(.projectsWrite), delete)
        POST(
            "/v1/project-templates/{id}/instantiate", "Make a project from a template", .can(.projectsWrite),
            instantiate
        )
        .operation("instantiateProjectTemplate").problems(.projectKeyTaken, .quotaUsedUp)
        .describe("With its states, its milestones and its tasks, their days counted from `start_on`.")
        .example(body: ["name": "Webinar in June", "start_on": "2026-06-01"])
        POST("/v1/projects/{id}/template", "Save a project as a template", .can(.projectsWrite), save)
            .operation("saveProjectAsTemplate").problems(.templateNameTaken, .tooManyTemplates)
            .describe(
                """
                Its states, its milestones and its first \(tasksMax) tasks, days counted from the project's start or from its \
                first date. Takes seeing it.
                """
            )
            .example(body: ["name": "Website relaunch"])
    }

    static let tasksMax = 200

    private static let example: JSON = [
        "name": "Newsletter", "description": "One issue, from the plan to the numbers.",
        "content": [
            "milestones": [["name": "Sent", "day": 10]],
            "tasks": [
                ["title": "Plan the issue", "start_day": 0, "due_day": 2],
                ["title": "Write and lay out", "start_day": 2, "due_day": 8],
                ["title": "Send", "due_day": 10, "milestone": 0],
            ],
        ],
    ]

    struct TemplateLine: Codable, Sendable {
        let id: UUID
        let name: String
        let description: String?
        let milestoneCount: Int
        let taskCount: Int
        let createdAt: Timestamp
    }

    struct BuiltInLine: Codable, Sendable {
        let key: String
        let name: String
        let description: String
        let milestoneCount: Int
        let taskCount: Int
    }

    struct BuiltInTemplate: Codable, Sendable {
        let key: String
        let name: String
        let description: String
        let content: TemplateContent
    }

    struct ProjectTemplate: Codable, Sendable {
        let id: UUID
        let name: String
        let description: String?
        let content: TemplateContent
        let version: Int
    }

    struct NewProjectTemplate: Codable, Sendable {
        let name: Text<120>
        let description: Prose<2000>?
        let content: TemplateContent
    }

    struct ProjectTemplateChange: Codable, Sendable {
        let name: Text<120>?
        let description: Clearable<Prose<2000>>
        let content: TemplateContent?
    }

    struct Filter: ListFilter {
        static let sorts = ["name", "-created_at"]
        static let search = ["name", "description"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<TemplateLine> {
        try await call.page(
            list,
            """
            SELECT id, name, description,
                   jsonb_array_length(coalesce(nullif(content->'milestones', 'null'), '[]')) AS milestone_count,
                   jsonb_array_length(coalesce(nullif(content->'tasks', 'null'), '[]')) AS task_count, created_at
              FROM project_templates WHERE company_id = \(call.company)
            """)
    }

    static func listBuiltIn(_ call: Call) async throws -> Page<BuiltInLine> {
        let lines = BuiltInTemplates.all.map { entry -> JSON in
            [
                "key": .string(entry.key), "name": .string(entry.name),
                "description": .string(entry.description),
                "milestone_count": JSON(entry.content.milestones?.items.count ?? 0),
                "task_count": JSON(entry.content.tasks?.items.count ?? 0),
            ]
        }
        return Page(
            all: try await call.db.query(
                """
                SELECT key, name, description, milestone_count, task_count
                  FROM jsonb_to_recordset(\(JSONText(.array(lines)))::jsonb)
                       AS b (key text, name text, description text, milestone_count integer, task_count integer)
                """))
    }

    static func readBuiltIn(_ call: Call, _ key: Path<Slug>) async throws -> Single<BuiltInTemplate> {
        let entry = try BuiltInTemplates.named(key.value.text)
        return Single(
            BuiltInTemplate(
                key: entry.key, name: entry.name, description: entry.description, content: entry.content))
    }

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<ProjectTemplate> {
        let company = try call.company
        let template = try await call.db.transaction { tx in try await find(id.value, company, tx) }
        return Single(template, version: Int64(template.version))
    }

    static func create(_ call: Call, _ body: Body<NewProjectTemplate>) async throws -> Created<
        ProjectTemplate
    > {
        let (draft, id, company) = (body.value, UUID.v7(), try call.company)
        try check(draft.content)
        let template = try await call.db.transaction { tx in
            try await insert(draft, id, call, tx)
            return try await find(id, company, tx)
        }
        return Created(template, version: 1, at: "/v1/project-templates/\(id)")
    }

    private static func check(_ content: TemplateContent) throws {
        let faults = content.faults
        if !faults.isEmpty { throw Problem.unprocessable(faults) }
    }

    @inline(never)
    private static func insert(_ draft: NewProjectTemplate, _ id: UUID, _ call: Call, _ tx: Transaction)
        async throws
    {
        let company = try call.company
        let isBelow = SQL.below(
            ProjectLimits.templatesMax,
            "SELECT count(*) FROM project_templates WHERE company_id = \(company)",
            else: .tooManyTemplates)
        _ = try await tx.batch([
            """
            INSERT INTO project_templates (company_id, id, name, description, content, created_by)
            SELECT \(company), \(id), \(draft.name), \(draft.description), \(JSONText(JSON(encoding: draft.content)))::jsonb,
                   \(try call.member) WHERE \(fragment: isBelow)
            """,
            audit("project_template.created", id, draft.name.text, call, company),
        ])
    }

    static func change(
        _ call: Call, _ id: Path<UUID>, _ body: Patch<ProjectTemplateChange>
    ) async throws -> Single<ProjectTemplate> {
        let (change, company) = (body.value, try call.company)
        if let content = change.content { try check(content) }
        let template = try await call.db.transaction { tx in
            try await apply(change, to: id.value, call, tx)
            return try await find(id.value, company, tx)
        }
        return Single(template, version: Int64(template.version))
    }

    @inline(never)
    private static func apply(_ change: ProjectTemplateChange, to id: UUID, _ call: Call, _ tx: Transaction)
        async throws
    {
        let company = try call.company
        let rows = try await tx.query(
            "SELECT name, version FROM project_templates WHERE company_id = \(company) AND id = \(id) FOR UPDATE"
        )
        guard let row = rows.first else { throw Problem.notFound }
        try call.requireVersion(row.get("version"))
        var changes = Changes()
        changes.set("name", change.name)
        changes.set("description", change.description)
        if let content = change.content {
            changes.set("content", to: "\(JSONText(try JSON(encoding: content)))::jsonb")
        }
        _ = try await tx.batch([
            "UPDATE project_templates SET \(fragment: changes.sql) WHERE company_id = \(company) AND id = \(id)",
            audit("project_template.changed", id, try change.name?.text ?? row.get("name"), call, company),
        ])
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        try await call.db.transaction { tx in try await remove(id.value, call, tx) }
        return NoContent()
    }

    @inline(never)
    private static func remove(_ id: UUID, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        let gone = try await tx.query(
            "DELETE FROM project_templates WHERE company_id = \(company) AND id = \(id) RETURNING name")
        guard let row = gone.first else { throw Problem.notFound }
        _ = try await tx.query(audit("project_template.deleted", id, try row.get("name"), call, company))
    }

    private static func audit(_ action: String, _ id: UUID, _ name: String, _ call: Call, _ company: UUID)
        -> SQL
    {
        Audit.sql(
            Audit.Entry(action, on: "project_template", id, after: ["name": .string(name)]), by: call.actor,
            company: company)
    }

    @inline(never)
    static func find(_ id: UUID, _ company: UUID, _ tx: Transaction) async throws -> ProjectTemplate {
        let rows = try await tx.query(
            """
            SELECT name, description, content::text AS content, version FROM project_templates
             WHERE company_id = \(company) AND id = \(id)
            """)
        guard let row = rows.first else { throw Problem.notFound }
        return ProjectTemplate(
            id: id, name: try row.get("name"), description: try row.get("description"),
            content: try JSON.parse(row.get("content", as: String.self)).decode(),
            version: try row.get("version"))
    }

    struct Instantiation: Codable, Sendable {
        let name: Text<120>
        let key: ProjectKey?
        let startOn: LocalDate
        let visibility: ProjectVisibility?
        let leadId: UUID?
        let isActive: Bool?
    }

    static func instantiate(_ call: Call, _ id: Path<UUID>, _ body: Body<Instantiation>) async throws
        -> Created<Project>
    {
        let (order, company) = (body.value, try call.company)
        let project = try await call.db.transaction { tx in
            let template = try await find(id.value, company, tx)
            return try await make(template.content, template.description, order, call, tx)
        }
        return try Created(await Projects.rows(project, call), at: "/v1/projects/\(project)")
    }

    static func instantiateBuiltIn(
        _ call: Call, _ key: Path<Slug>, _ body: Body<Instantiation>
    ) async throws -> Created<Project> {
        let (order, entry) = (body.value, try BuiltInTemplates.named(key.value.text))
        let project = try await call.db.transaction { tx in
            try await make(entry.content, entry.description, order, call, tx)
        }
        return try Created(await Projects.rows(project, call), at: "/v1/projects/\(project)")
    }

    @inline(never)
    private static func make(
        _ content: TemplateContent, _ description: String?, _ order: Instantiation, _ call: Call,
        _ tx: Transaction
    ) async throws -> UUID {
        let (company, member) = (try call.company, try call.member)
        var draft = ProjectDraft(name: order.name.text, key: order.key?.text, description: description)
        (draft.visibility, draft.leadId, draft.createdBy) = (
            order.visibility ?? .company, order.leadId ?? member, member
        )
        (draft.startOn, draft.isActive) = (order.startOn, order.isActive ?? false)
        draft.states = content.stateDrafts
        _ = try await ProjectFounding.found(draft, by: call.actor, company: company, in: tx)
        let laying = TemplateLaying(
            project: draft.id, startOn: order.startOn, reporter: member, company: company)
        try await laying.lay(content, by: call.actor, in: tx)
        return draft.id
    }

    struct SavedTemplate: Codable, Sendable {
        let name: Text<120>
        let description: Prose<2000>?
    }

    static func save(_ call: Call, _ id: Path<UUID>, _ body: Body<SavedTemplate>) async throws -> Created<
        ProjectTemplate
    > {
        let (order, new, company) = (body.value, UUID.v7(), try call.company)
        let template = try await call.db.transaction { tx in
            let head = try await ProjectAccess.require(.see, in: id.value, call, tx)
            let (content, _) = try await TemplateLaying.content(of: head.id, company, tx)
            let draft = NewProjectTemplate(name: order.name, description: order.description, content: content)
            try await insert(draft, new, call, tx)
            return try await find(new, company, tx)
        }
        return Created(template, version: 1, at: "/v1/project-templates/\(new)")
    }
}
