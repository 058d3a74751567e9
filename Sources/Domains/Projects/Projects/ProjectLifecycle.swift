import API
import Core
import Postgres
import Wire

/// The steps of a project's life: draft → active → on hold or completed → archived, and back out of the archive to what
/// it was.
enum ProjectLifecycle {
    @RouteList static var routes: [Route] {
        POST(
            "/v1/projects/{id}/activate", "Begin a project, or take it up again", .can(.projectsRead),
            take(.activate)
        ).ifMatch(.accepted)
            .operation("activateProject").problems(.projectStepRefused, .projectArchived)
            .describe("From draft, on hold or completed. Takes the right to manage it, as every step does.")
        POST("/v1/projects/{id}/hold", "Put a project on hold", .can(.projectsRead), take(.hold)).ifMatch(
            .accepted
        )
        .operation("holdProject").problems(.projectStepRefused, .projectArchived)
        POST("/v1/projects/{id}/complete", "Complete a project", .can(.projectsRead), take(.complete))
            .ifMatch(.accepted)
            .operation("completeProject").problems(.projectStepRefused, .projectArchived)
            .describe("From active or on hold. Its open tasks stay as they are.")
        POST("/v1/projects/{id}/archive", "Archive a project", .can(.projectsRead), take(.archive)).ifMatch(
            .accepted
        )
        .operation("archiveProject").problems(.projectStepRefused)
        .describe("From draft, on hold or completed. It and its tasks can then only be read.")
        POST(
            "/v1/projects/{id}/restore", "Take a project out of the archive", .can(.projectsRead),
            take(.restore)
        ).ifMatch(.accepted)
            .operation("restoreProject").problems(.projectStepRefused)
            .describe("It is then what it was before.")
    }

    enum Step: String, Sendable {
        case activate, hold, complete, archive, restore

        var origins: [ProjectStatus] {
            switch self {
            case .activate: [.draft, .onHold, .completed]
            case .hold: [.active]
            case .complete: [.active, .onHold]
            case .archive: [.draft, .onHold, .completed]
            case .restore: [.archived]
            }
        }

        var action: String {
            switch self {
            case .activate: "project.activated"
            case .hold: "project.held"
            case .complete: "project.completed"
            case .archive: "project.archived"
            case .restore: "project.restored"
            }
        }

        var event: EventType<ProjectEvents.ProjectData> {
            switch self {
            case .activate, .hold: ProjectEvents.updated
            case .complete: ProjectEvents.completed
            case .archive: ProjectEvents.archived
            case .restore: ProjectEvents.restored
            }
        }

        func target(archivedFrom: ProjectStatus?) -> ProjectStatus {
            switch self {
            case .activate: .active
            case .hold: .onHold
            case .complete: .completed
            case .archive: .archived
            case .restore: archivedFrom ?? .active
            }
        }
    }

    private static func take(_ step: Step) -> @Sendable (Call, Path<UUID>) async throws -> Single<Project> {
        { call, id in
            try await call.db.transaction { tx in try await take(step, id.value, call, tx) }
            return try Single(await Projects.rows(id.value, call))
        }
    }

    @inline(never)
    static func take(_ step: Step, _ id: UUID, _ call: Call, _ tx: Transaction) async throws {
        let company = try call.company
        let head = try await ProjectAccess.require(.manage, in: id, call, tx, evenArchived: true)
        let rows = try await tx.query(
            """
            SELECT status, archived_from, version FROM projects
             WHERE company_id = \(company) AND id = \(id) FOR UPDATE
            """)
        guard let row = rows.first else { throw Problem.notFound }
        try call.requireVersion(row.get("version"))
        let status = try row.get("status", as: ProjectStatus.self)
        guard step.origins.contains(status) else { throw refusal(of: step, for: status) }
        let target = step.target(archivedFrom: try row.get("archived_from"))
        let data = ProjectEvents.ProjectData(
            projectId: id, key: head.key, name: head.name, status: target, changed: ["status"])
        _ = try await tx.batch([
            update(id, to: target, company),
            Audit.sql(
                Audit.Entry(
                    step.action, on: "project", id, before: ["status": .string(status.rawValue)],
                    after: ["status": .string(target.rawValue)]),
                by: call.actor, company: company),
        ])
        try await Events.record(step.event, data, on: "project", id, by: call.actor, company: company, in: tx)
        if step == .complete { try await ProjectNews.completed(head, by: call.actor, company, tx) }
    }

    private static func refusal(of step: Step, for status: ProjectStatus) -> Problem {
        if status == .archived { return Problem(.projectArchived) }
        let origins = step.origins.map(\.rawValue)
        return Problem(
            .projectStepRefused,
            "To \(step.rawValue) a project, it must be \(origins.joined(separator: " or ")); this one is \(status.rawValue)."
        ).with("project_status", .string(status.rawValue)).with("allowed", .array(origins.map(JSON.string)))
    }

    private static func update(_ id: UUID, to status: ProjectStatus, _ company: UUID) -> SQL {
        let isArchived = status == .archived
        return """
            UPDATE projects
               SET status = \(status),
                   archived_from = CASE WHEN \(isArchived) THEN status END,
                   archived_at = CASE WHEN \(isArchived) THEN now() END,
                   completed_at = CASE \(status.rawValue) WHEN 'completed' THEN coalesce(completed_at, now())
                                                          WHEN 'archived' THEN completed_at END,
                   version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = \(id)
            """
    }
}
