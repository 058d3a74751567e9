import API
import Core
import Postgres
import Wire

/// The words of tasks, in the index that all domains share.
enum TaskSearch {
    private static let kind = "task"

    /// A condition on the row `t`: all words of `q` are found in it, or `q` is its key.
    static func condition(_ q: String, _ company: UUID) -> SQL {
        // IS TRUE keeps it from being made a join: the rows are read in the order asked for, and no further than needed.
        let found: SQL = "(\(fragment: Search.condition(kind, q, "t.id", company: company))) IS TRUE"
        guard let key = TaskKey(q) else { return found }
        return "(t.id = (\(fragment: key.lookUp(company))) OR \(fragment: found))"
    }

    /// A statement of `subject_id` and `rank`; a task named by its key comes first.
    static func matching(_ q: String, _ company: UUID) -> SQL {
        let found = Search.matching(kind, q, company: company)
        guard let key = TaskKey(q) else { return found }
        return """
            SELECT both.subject_id, max(both.rank) AS rank
              FROM (\(fragment: found) UNION ALL SELECT (\(fragment: key.lookUp(company))), 100) AS both
             GROUP BY both.subject_id
            """
    }

    /// What new tasks are found by.
    static func added(
        _ tasks: [(id: UUID, number: Int, title: String, description: String?)], _ company: UUID
    ) -> [SQL] {
        Search.put(
            kind, tasks.map { ($0.id, text($0.number, $0.title, $0.description)) }, areNew: true,
            company: company)
    }

    /// What changed tasks are found by from now on. Tasks in the trash are found by nothing.
    static func changed(_ tasks: [TaskWriting.Changed], _ company: UUID) -> [SQL] {
        let told = tasks.filter { task in task.fields.contains { fields.contains($0.field) } }
        let gone = told.filter(\.after.isDeleted).map(\.after.id)
        let there = told.map(\.after).filter { !$0.isDeleted }.map {
            ($0.id, text($0.number, $0.title, $0.description))
        }
        return Search.remove(kind, gone, company: company) + Search.put(kind, there, company: company)
    }

    private static let fields: Set<TaskField> = [.title, .description, .project, .deleted]

    private static func text(_ number: Int, _ title: String, _ description: String?) -> SearchText {
        SearchText(title: [String(number), title], body: [description])
    }

    static func removed(_ ids: [UUID], _ company: UUID) -> [SQL] {
        Search.remove(kind, ids, company: company)
    }

    /// Puts the tasks into the index that were there before it: some at a time, and on from there when it is interrupted.
    static let fill = Worker("task-search-fill", every: .seconds(60)) { work in
        let isMore = try await fillSome(work.database)
        return isMore ? .more : .idle
    }

    static func fillSome(_ db: Database) async throws -> Bool {
        try await db.transaction { tx in try await fillSome(tx) }
    }

    @inline(never)
    private static func fillSome(_ tx: Transaction) async throws -> Bool {
        let rows = try await tx.query(
            "SELECT company_id, filled_to FROM search_fills WHERE kind = \(kind) LIMIT 1 FOR UPDATE SKIP LOCKED"
        )
        guard let row = rows.first else { return false }
        let company = try row.get("company_id", as: UUID.self)
        try await tx.become(company)
        // Locked, so that words which somebody writes meanwhile are not replaced by older ones.
        let tasks = try await tx.query(
            """
            SELECT id, number, title, description FROM tasks
             WHERE company_id = \(company) AND id > \(try row.get("filled_to", as: UUID.self)) AND deleted_at IS NULL
             ORDER BY id LIMIT \(TaskLimits.bulkMax) FOR NO KEY UPDATE
            """)
        let texts = try tasks.map { task in
            try (
                task.get("id", as: UUID.self),
                text(task.get("number"), task.get("title"), task.get("description"))
            )
        }
        let next: SQL =
            if let last = texts.last {
                "UPDATE search_fills SET filled_to = \(last.0) WHERE company_id = \(company) AND kind = \(kind)"
            } else {
                "DELETE FROM search_fills WHERE company_id = \(company) AND kind = \(kind)"
            }
        _ = try await tx.batch(Search.put(kind, texts, company: company) + [next])
        return true
    }
}
