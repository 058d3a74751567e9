import API
import Core
import Postgres
import Wire

/// The picture at the head of a project: one of the company's files.
enum ProjectCover {
    @RouteList static var routes: [Route] {
        GET("/v1/projects/{id}/cover", "Get a link to a project's cover", .can(.projectsRead), read)
            .describe("Good for an hour, and for whoever holds it. A project without a cover has none: 404.")
        PUT("/v1/projects/{id}/cover", "Show a file as a project's cover", .can(.projectsRead), show).ifMatch(
            .ignored
        )
        .describe(
            "A picture of up to 5 MiB among the company's files. It cannot be deleted while it is the cover."
        )
        .problems(.projectArchived)
        DELETE("/v1/projects/{id}/cover", "Show no cover", .can(.projectsRead), remove).describe(
            "The file stays."
        )
        .problems(.projectArchived)
    }

    struct CoverChoice: Codable, Sendable {
        let fileId: UUID
    }

    struct Cover: Codable, Sendable {
        let fileId: UUID
        let url: String
        let expiresAt: Timestamp
    }

    private static let linkLife = Duration.seconds(3600)

    static func read(_ call: Call, _ id: Path<UUID>) async throws -> Single<Cover> {
        let company = try call.company
        let head = try await ProjectAccess.require(.see, in: id.value, call)
        let rows = try await call.db.query(
            "SELECT cover_file_id FROM projects WHERE company_id = \(company) AND id = \(head.id)")
        let file = try rows.first?.get("cover_file_id", as: UUID?.self)
        guard let file = file ?? nil else { throw Problem.notFound }
        let expires = call.now + linkLife
        let url = try await call.environment[FileKeeping.self].link(file, company, linkLife)
        guard let url else { throw Problem.notFound }
        return Single(Cover(fileId: file, url: url, expiresAt: expires))
    }

    static func show(_ call: Call, _ id: Path<UUID>, _ body: Body<CoverChoice>) async throws -> Single<
        Project
    > {
        let file = body.fileId
        try await call.db.transaction { tx in try await set(file, on: id.value, call, tx) }
        return try Single(await Projects.rows(id.value, call))
    }

    static func remove(_ call: Call, _ id: Path<UUID>) async throws -> NoContent {
        try await call.db.transaction { tx in try await set(nil, on: id.value, call, tx) }
        return NoContent()
    }

    @inline(never)
    private static func set(_ file: UUID?, on project: UUID, _ call: Call, _ tx: Transaction) async throws {
        let (company, files) = (try call.company, call.environment[FileKeeping.self])
        let head = try await ProjectAccess.require(.manage, in: project, call, tx)
        try await files.detach(subject(project), company, tx)
        if let file { try await attach(file, to: project, files, company, tx) }
        _ = try await tx.batch([
            """
            UPDATE projects SET cover_file_id = \(file), version = version + 1, updated_at = now()
             WHERE company_id = \(company) AND id = \(project)
            """,
            Audit.sql(
                Audit.Entry(
                    "project.cover_changed", on: "project", project,
                    after: ["file_id": file.map { .string($0.description) } ?? .null]),
                by: call.actor, company: company),
            ProjectEvents.updated(head, ["cover_file_id"], by: call.actor, company),
        ])
    }

    @inline(never)
    private static func attach(
        _ file: UUID, to project: UUID, _ files: FileKeeping, _ company: UUID, _ tx: Transaction
    ) async throws {
        let attached = try await files.attach(file, subject(project), company, tx)
        guard attached.isPicture else {
            throw Problem.unprocessable(
                "/file_id", "no-picture", "names a file of type \(attached.type); a picture is needed")
        }
        guard attached.sizeBytes <= ProjectLimits.coverBytesMax else {
            throw Problem.unprocessable(
                "/file_id", "too-large", "names a file of more than \(ProjectLimits.coverBytesMax) bytes")
        }
    }

    static func subject(_ project: UUID) -> (type: String, id: UUID) { ("project_cover", project) }
}
