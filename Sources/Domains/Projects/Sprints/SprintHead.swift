import API
import Postgres
import Wire

/// A sprint as its writers lock and decide on it.
struct SprintHead: Decodable, Sendable {
    let id: UUID
    let projectId: UUID
    let projectName: String
    var name: String
    var status: SprintStatus
    var startsOn: LocalDate
    var endsOn: LocalDate
    let allowsParallel: Bool
    let version: Int64

    /// The sprint with its project's row locked, so that of two who plan at once the second sees what the first did.
    @inline(never)
    static func locked(_ id: UUID, _ company: UUID, _ tx: Transaction) async throws -> SprintHead {
        let project = try await tx.query(
            """
            SELECT p.id FROM projects p
             WHERE p.company_id = \(company)
               AND p.id = (SELECT s.project_id FROM sprints s WHERE s.company_id = \(company) AND s.id = \(id))
               FOR NO KEY UPDATE
            """)
        if project.isEmpty { throw Problem.notFound }
        let rows = try await tx.query(
            """
            SELECT s.id, s.project_id, p.name AS project_name, s.name, s.status, s.starts_on, s.ends_on,
                   coalesce(o.allows_parallel, false) AS allows_parallel, s.version
              FROM sprints s
              JOIN projects p ON p.company_id = s.company_id AND p.id = s.project_id
              LEFT JOIN sprint_settings o ON o.company_id = s.company_id AND o.project_id = s.project_id
             WHERE s.company_id = \(company) AND s.id = \(id)
               FOR UPDATE OF s
            """)
        guard let row = rows.first else { throw Problem.notFound }
        return try row.decode(SprintHead.self)
    }
}

/// Which days of a project are free for a sprint.
enum SprintCalendar {
    /// Throws unless the dates are in order and, where sprints may not run side by side, nobody else's.
    @inline(never)
    static func require(
        _ startsOn: LocalDate, _ endsOn: LocalDate, in project: UUID, except sprint: UUID?, _ company: UUID,
        _ tx: Transaction
    ) async throws {
        try check(startsOn, endsOn)
        let rows = try await tx.query(conflicts(startsOn, endsOn, in: project, except: sprint, company))
        let settings = try await tx.query(
            """
            SELECT 1 FROM sprint_settings
             WHERE company_id = \(company) AND project_id = \(project) AND allows_parallel
            """)
        if rows.isEmpty || !settings.isEmpty { return }
        let conflicts = try rows.map { try JSON(encoding: $0.decode(SprintReference.self)) }
        throw Problem(.sprintOverlaps).with("conflicts", .array(conflicts))
    }

    static func check(_ startsOn: LocalDate, _ endsOn: LocalDate) throws {
        if endsOn < startsOn { throw Problem(.sprintDatesReversed) }
        if endsOn.daysSince1970 - startsOn.daysSince1970 >= SprintLimits.daysMax {
            throw Problem(.sprintTooLong)
        }
    }

    /// The sprints that have some of these days. A closed one has none: what it did not use is free again.
    static func conflicts(
        _ startsOn: LocalDate, _ endsOn: LocalDate, in project: UUID, except sprint: UUID?, _ company: UUID
    ) -> SQL {
        """
        SELECT id, name, starts_on, ends_on FROM sprints
         WHERE company_id = \(company) AND project_id = \(project) AND status <> 'closed'
           AND starts_on <= \(endsOn) AND ends_on >= \(startsOn) AND id IS DISTINCT FROM \(sprint)::uuid
         ORDER BY starts_on, id LIMIT 20
        """
    }
}
