import API
import Core
import Postgres
import Wire

/// What must be true of what a task points at.
enum TaskChecks {
    @inline(never)
    static func check(
        _ drafts: [TaskWriting.Draft], in place: ProjectPlace, _ company: UUID, _ tx: Transaction
    ) async throws {
        var known: Set<UUID> = []
        for draft in drafts {
            try checkDates(draft.startOn, draft.dueOn, draft.dueTime != nil)
            // A draft before this one is there in a moment, in this project and no deeper than it was checked to be.
            if let parent = draft.parent, !known.contains(parent) {
                try await TaskGraph.checkParent(parent, of: draft.id, in: place.id, company, tx)
            }
            known.insert(draft.id)
        }
        for sprint in Set(drafts.compactMap(\.sprint)) {
            try await checkSprint(sprint, of: place.id, company, tx)
        }
        let people = Set(drafts.flatMap(\.assignees))
        if !people.isEmpty { try await checkAssignees(Array(people), in: [place.id], company, tx) }
        try await Tags.mustExist(drafts.flatMap(\.tags).unique, at: "/tag_ids", company: company, in: tx)
        let reporters = Set(drafts.compactMap(\.reporter))
        if !reporters.isEmpty { try await checkMembers(Array(reporters), "/reporter_id", company, tx) }
    }

    static func checkDates(_ start: LocalDate?, _ due: LocalDate?, _ hasTime: Bool) throws {
        if let start, let due, start > due {
            throw Problem.unprocessable("/due_on", "before-start", "is before `start_on`")
        }
        if hasTime, due == nil {
            throw Problem.unprocessable("/due_time", "without-date", "needs `due_on`")
        }
    }

    /// The sprint is one of the project and still open. It stays so until the transaction ends.
    @inline(never)
    static func checkSprint(_ sprint: UUID, of project: UUID, _ company: UUID, _ tx: Transaction) async throws
    {
        let rows = try await tx.query(
            """
            SELECT status FROM sprints
             WHERE company_id = \(company) AND project_id = \(project) AND id = \(sprint) FOR SHARE
            """)
        guard let row = rows.first else {
            throw Problem.unprocessable("/sprint_id", "not-found", "is no sprint of this project")
        }
        if try row.get("status", as: String.self) == "closed" { throw Problem(.taskSprintClosed) }
    }

    @inline(never)
    private static func checkMembers(_ members: [UUID], _ pointer: String, _ company: UUID, _ tx: Transaction)
        async throws
    {
        let rows = try await tx.query(
            """
            SELECT count(*) FROM memberships
             WHERE company_id = \(company) AND id = ANY(\(members)::uuid[]) AND status = 'active'
            """)
        if try rows[0].get(0, as: Int.self) < members.count {
            throw Problem.unprocessable(pointer, "not-found", "is no active member of this company")
        }
    }

    static func checkReporter(_ member: UUID, _ company: UUID, _ tx: Transaction) async throws {
        try await checkMembers([member], "/reporter_id", company, tx)
    }

    /// Each of them is an active member who can see each of the projects.
    static func checkAssignees(_ members: [UUID], in projects: [UUID], _ company: UUID, _ tx: Transaction)
        async throws
    {
        let outsiders = try await outsiders(members, in: projects, company, tx)
        guard let first = outsiders.first else { return }
        throw Problem.unprocessable(
            "/assignee_ids", "cannot-see",
            "\(first.member) is no active member who can see project \(first.projectKey)")
    }

    /// Those among the members who are not active or cannot see one of the projects.
    @inline(never)
    static func outsiders(
        _ members: [UUID], in projects: [UUID], _ company: UUID, _ tx: Transaction
    ) async throws -> [(member: UUID, projectKey: String)] {
        if members.isEmpty { return [] }
        let rows = try await tx.query(
            """
            SELECT asked.id, p.key
              FROM unnest(\(members)::uuid[]) AS asked (id)
             CROSS JOIN projects p
             WHERE p.company_id = \(company) AND p.id = ANY(\(projects)::uuid[])
               AND NOT EXISTS (
                   SELECT 1 FROM memberships m
                    WHERE m.company_id = \(company) AND m.id = asked.id AND m.status = 'active'
                      AND \(fragment: ProjectsDomain.isSeenByMember))
             ORDER BY asked.id
            """)
        return try rows.map { (try $0.get("id"), try $0.get("key")) }
    }

    /// The open tasks that block these, each with whom it blocks.
    static func blockers(of tasks: [UUID], _ company: UUID) -> SQL {
        """
        SELECT r.to_id AS blocked, p.key || '-' || b.number AS key, b.title
          FROM task_relations r
          JOIN tasks b ON b.company_id = r.company_id AND b.id = r.from_id
          JOIN projects p ON p.company_id = b.company_id AND p.id = b.project_id
         WHERE r.company_id = \(company) AND r.kind = 'blocks' AND r.to_id = ANY(\(tasks)::uuid[])
           AND b.deleted_at IS NULL AND b.category IN ('backlog', 'unstarted', 'started')
         ORDER BY r.to_id, b.number
        """
    }
}
