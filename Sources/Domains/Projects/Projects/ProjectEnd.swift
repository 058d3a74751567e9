import Core
import Postgres
import Wire

/// The end of a project that has been in the trash: all of it goes, but for its key and the record of acts.
struct ProjectEnd: Sendable {
    let files: FileKeeping?
    let actor: Audit.Actor
    let company: UUID

    /// - Parameter condition: on the row of `projects` under `p`.
    /// - Returns: false when there is no such project.
    @inline(never)
    func purge(_ condition: SQL, in tx: Transaction) async throws -> Bool {
        let rows = try await tx.query(
            "SELECT p.id, p.key, p.name FROM projects p WHERE p.company_id = \(company) AND \(fragment: condition) FOR UPDATE"
        )
        guard let row = rows.first else { return false }
        let (id, key) = (try row.get("id", as: UUID.self), try row.get("key", as: String.self))
        let entry = Audit.Entry(
            "project.purged", on: "project", id,
            before: ["key": .string(key), "name": .string(try row.get("name"))])
        let found = try await tx.query(
            "SELECT id FROM tasks WHERE company_id = \(company) AND project_id = \(id)")
        let tasks = try found.map { try $0.get("id", as: UUID.self) }
        try await files?.detach(ProjectCover.subject(id), company, tx)
        try await TaskPurge.purge(project: id, files, company, tx)
        _ = try await tx.batch(
            SubjectLeftovers.sql("task", tasks, company: company)
                + SubjectLeftovers.sql("project", [id], company: company)
                + SubjectLeftovers.sql(ofScope: id, company: company) + [
                    "INSERT INTO retired_project_keys (company_id, key, project_id) VALUES (\(company), \(key), \(id))",
                    "DELETE FROM projects WHERE company_id = \(company) AND id = \(id)",
                    Audit.sql(entry, by: actor, company: company),
                ])
        return true
    }
}
