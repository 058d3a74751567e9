import API
import Core
import Postgres
import Wire

/// Deleting projects, and what can be done with them in the trash.
enum ProjectTrash {
    @RouteList static var routes: [Route] {
        DELETE("/v1/projects/{id}", "Put a project into the trash", .can(.projectsRead), delete).ifMatch(
            .accepted
        )
        .describe(
            """
            With all that is in it. It can be taken out for \(ProjectLimits.trashDays) days. Takes the right to manage it.
            """)
        GET("/v1/project-trash", "List the projects in the trash", .can(.projectsRead), list)
            .describe("Those the caller may manage.")
        POST(
            "/v1/project-trash/{id}/restore", "Take a project out of the trash", .can(.projectsRead), restore
        )
        .operation("undeleteProject").problems(.quotaUsedUp)
        DELETE("/v1/project-trash/{id}", "Delete a project for good", .can(.projectsManage), purge)
            .operation("purgeProject").describe("With its tasks, sprints and times. Nothing brings it back.")
    }

    struct TrashedProject: Codable, Sendable {
        let id: UUID
        let key: String
        let name: String
        let deletedAt: Timestamp
        let purgedAfter: Timestamp
    }

    struct Purge: Codable, Sendable {
        let project: UUID
        /// When it was deleted: it may have been restored and deleted again since.
        let deletedAt: Timestamp
    }

    static let job = JobKind<Purge>("projects.purge")

    static let handler = JobHandler(job) { purge, job in
        guard let company = job.company else { return .cancelled("It names no company.") }
        try await job.work.database.transaction(as: Tenant(company: company), deadline: .seconds(120)) { tx in
            let end = ProjectEnd(
                files: job.work.environment.find(FileKeeping.self), actor: .system, company: company)
            _ = try await end.purge("p.id = \(purge.project) AND p.deleted_at = \(purge.deletedAt)", in: tx)
        }
        return .done
    }

    static func delete(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        try await call.db.transaction { tx in try await delete(id.value, call, tx) }
        return NoContent()
    }

    @inline(never)
    static func delete(_ id: UUID, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        let head = try await ProjectAccess.require(.manage, in: id, call, tx, evenArchived: true)
        let rows = try await tx.query(
            """
            UPDATE projects SET deleted_at = now(), deleted_by = \(try call.member), version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = \(id) AND deleted_at IS NULL
               AND \(fragment: call.versionMatches())
            RETURNING deleted_at
            """)
        guard let deletedAt = try rows.first?.get("deleted_at", as: Timestamp.self) else {
            throw Problem(.versionMismatch)
        }
        try await Jobs.enqueue(
            job, Purge(project: id, deletedAt: deletedAt), company: company,
            at: deletedAt + .seconds(86_400 * ProjectLimits.trashDays), in: tx)
        try await record("project.deleted", ProjectEvents.deleted, head, call, tx)
        try await Quotas.giveBack(ProjectLimits.projects, company: company, in: tx)
    }

    struct Filter: ListFilter {
        static let sorts = ["-deleted_at", "name"]
        static let search = ["name", "key"]
    }

    static func list(_ call: Call, _ list: List<Filter>) async throws -> Page<TrashedProject> {
        try await call.page(list, select(call))
    }

    static func restore(_ call: Call, _ id: Path<UUID>) async throws -> Single<Project> {
        try await call.db.transaction { tx in try await restore(id.value, call, tx) }
        return try Single(await Projects.rows(id.value, call))
    }

    @inline(never)
    private static func restore(_ id: UUID, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        let found = try await tx.query("\(fragment: select(call)) AND p.id = \(id) FOR UPDATE")
        if found.isEmpty { throw Problem.notFound }
        _ = try await tx.query(
            """
            UPDATE projects SET deleted_at = NULL, deleted_by = NULL, version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = \(id)
            """)
        let head = try await ProjectAccess.require(.see, in: id, call, tx)
        try await record("project.undeleted", ProjectEvents.restored, head, call, tx)
        try await Quotas.take(ProjectLimits.projects, 1, company: company, in: tx)
    }

    static func purge(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        let end = ProjectEnd(
            files: call.environment.find(FileKeeping.self), actor: call.actor, company: try call.company)
        let gone = try await call.db.transaction(deadline: .seconds(120)) { tx in
            try await end.purge("p.id = \(id.value) AND p.deleted_at IS NOT NULL", in: tx)
        }
        if !gone { throw Problem.notFound }
        return NoContent()
    }

    @inline(never)
    private static func record(
        _ action: String, _ event: EventType<ProjectEvents.ProjectData>, _ head: ProjectHead, _ call: Call,
        _ tx: Transaction
    ) async throws {
        let company = try call.company
        let entry = Audit.Entry(
            action, on: "project", head.id, after: ["key": .string(head.key), "name": .string(head.name)])
        _ = try await tx.query(Audit.sql(entry, by: call.actor, company: company))
        try await Events.record(
            event,
            .init(projectId: head.id, key: head.key, name: head.name, status: head.status, changed: nil),
            on: "project", head.id, by: call.actor, company: company, in: tx)
    }

    private static func select(_ call: Call) throws -> SQL {
        """
        SELECT p.id, p.key, p.name, p.deleted_at,
               p.deleted_at + interval '1 day' * \(ProjectLimits.trashDays) AS purged_after
          FROM projects p
         WHERE p.company_id = \(try call.company) AND \(fragment: try ProjectAccess.visibleInTrash(call))
           AND \(fragment: try ProjectAccess.level(call)) >= \(ProjectRight.manage.rawValue)
        """
    }
}
