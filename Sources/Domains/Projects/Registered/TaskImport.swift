import API
import Core
import Postgres
import Wire

/// Tasks as a table that comes in, into one project.
extension ProjectsDomain {
    static let registeredImports = [
        ImportKind(
            "task", "Tasks", .tasksRead, target: TaskImport.target,
            columns: { target, company, environment in
                let project = target["project_id"]?.stringValue.flatMap { UUID($0) }
                let fields = try await environment[CustomFields.self].fields(
                    of: "task", scope: project, company: company)
                return TaskImport.columns
                    + fields.filter { !$0.isArchived }.map {
                        ImportColumn(
                            "custom.\($0.key)", $0.name, isRequired: $0.isRequired,
                            summary: "A field of your own", aliases: [$0.key])
                    }
            },
            write: TaskImport.write, undo: TaskImport.undo)
    ]
}

enum TaskImport {
    static let columns = [
        ImportColumn(
            "title", "Title", isRequired: true, summary: "What is to be done",
            aliases: ["Name", "Task", "Summary", "Subject", "Titel", "Aufgabe"]),
        ImportColumn(
            "description", "Description", summary: "Markdown", aliases: ["Notes", "Details", "Beschreibung"]),
        ImportColumn("type", "Type", summary: "task, story, bug or epic", aliases: ["Issue type", "Typ"]),
        ImportColumn(
            "state", "State", summary: "The name of a state of the project",
            aliases: ["Status", "Column", "Spalte"]),
        ImportColumn(
            "priority", "Priority", summary: "none, low, medium, high or urgent", aliases: ["Priorität"]),
        ImportColumn(
            "assignees", "Assignees", summary: "E-mail addresses of members, between commas",
            aliases: ["Assignee", "Assigned to", "Owner", "Zuständig"]),
        ImportColumn(
            "points", "Points", summary: "A number with at most two decimals",
            aliases: ["Story points", "Estimate"]),
        ImportColumn(
            "estimate_minutes", "Estimate (minutes)", summary: "A whole number", aliases: ["Minutes"]),
        ImportColumn(
            "start_on", "Start", summary: "A day like 2026-12-01", aliases: ["Start date", "Beginn"]),
        ImportColumn(
            "due_on", "Due", summary: "A day like 2026-12-01", aliases: ["Due date", "Deadline", "Fällig"]),
        ImportColumn("due_time", "Due time", summary: "A time like 17:30"),
        ImportColumn(
            "parent_key", "Parent", summary: "The key of a task of the project",
            aliases: ["Parent key", "Parent task"]),
        ImportColumn(
            "tags", "Tags", summary: "Names, between commas; new ones are made", aliases: ["Labels", "Tag"]),
    ]

    @Sendable static func target(_ target: JSON, _ call: Call) async throws -> JSON {
        let project = target["project_id"]?.stringValue.flatMap { UUID($0) }
        guard let project, target.objectValue?.count == 1 else {
            throw Problem.unprocessable(
                "/target/project_id", "required", "is required, and nothing else: the project's id")
        }
        _ = try await ProjectAccess.require(.contribute, in: project, call)
        return ["project_id": .string(project.description)]
    }

    @Sendable @inline(never)
    static func write(_ rows: [ImportRow], _ run: ImportRun, _ tx: Transaction) async throws
        -> [ImportOutcome]
    {
        let project = run.target["project_id"]?.stringValue.flatMap { UUID($0) } ?? .zero
        let known = try await Known.load(rows, project, run, tx)
        var drafts: [TaskWriting.Draft] = []
        var pairs: [(thing: UUID, tag: UUID)] = []
        var outcomes: [ImportOutcome] = []
        for (index, row) in rows.enumerated() {
            var faults: [ImportFault] = []
            let draft = known.draft(row, index, project, run, &faults)
            guard faults.isEmpty else {
                outcomes.append(.failed(faults))
                continue
            }
            drafts.append(draft)
            pairs += names(row["tags"]).compactMap { known.tags[$0.lowercased()] }.map { (draft.id, $0) }
            outcomes.append(.created(draft.id, version: 1))
        }
        // Quietly: nobody wants a thousand notices of what he has been given.
        _ = try await TaskWriting.create(drafts, by: run.actor, company: run.company, quietly: true, in: tx)
        if !pairs.isEmpty { _ = try await tx.query(ProjectsDomain.taskTags.add(pairs, company: run.company)) }
        return outcomes
    }

    @Sendable @inline(never)
    static func undo(_ things: [ImportedThing], _ run: ImportRun, _ tx: Transaction) async throws -> [UUID] {
        let rows = try await tx.query(
            """
            SELECT t.id FROM tasks t
              JOIN unnest(\(things.map(\.id))::uuid[], \(things.map(\.version))::integer[]) AS made (id, version)
                ON made.id = t.id AND made.version = t.version
             WHERE t.company_id = \(run.company) AND t.deleted_at IS NULL ORDER BY t.id FOR UPDATE OF t
            """)
        let ids = try rows.map { try $0.get("id", as: UUID.self) }
        var rest = ids[...]
        while !rest.isEmpty {
            let some = Array(rest.prefix(TaskLimits.bulkMax))
            rest = rest.dropFirst(some.count)
            try await TaskTrash.delete(some, by: run.actor, run.company, tx)
        }
        return ids
    }

    static func names(_ cell: String?) -> [String] {
        (cell ?? "").split(whereSeparator: { ",;".contains($0) }).map { String($0.drop { $0 == " " }) }.filter
        { !$0.isEmpty }
    }
}
