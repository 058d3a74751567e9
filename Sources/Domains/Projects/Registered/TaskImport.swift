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
                let fields = try await environment[CustomFields.self].fields(of: "task", scope: project, company: company)
                return TaskImport.columns
                    + fields.filter { !$0.isArchived }.map {
                        ImportColumn("custom.\($0.key)", $0.name, isRequired: $0.isRequired, summary: "A field of your own", aliases: [$0.key])
                    }
            },
            write: TaskImport.write, undo: TaskImport.undo)
    ]
}

enum TaskImport {
    static let columns = [
        ImportColumn("title", "Title", isRequired: true, summary: "What is to be done", aliases: ["Name", "Task", "Summary", "Subject", "Titel", "Aufgabe"]),
        ImportColumn("description", "Description", summary: "Markdown", aliases: ["Notes", "Details", "Beschreibung"]),
        ImportColumn("type", "Type", summary: "task, story, bug or epic", aliases: ["Issue type", "Typ"]),
        ImportColumn("state", "State", summary: "The name of a state of the project", aliases: ["Status", "Column", "Spalte"]),
        ImportColumn("priority", "Priority", summary: "none, low, medium, high or urgent", aliases: ["Priorität"]),
        ImportColumn("assignees", "Assignees", summary: "E-mail addresses of members, between commas", aliases: ["Assignee", "Assigned to", "Owner", "Zuständig"]),
        ImportColumn("points", "Points", summary: "A number with at most two decimals", aliases: ["Story points", "Estimate"]),
        ImportColumn("estimate_minutes", "Estimate (minutes)", summary: "A whole number", aliases: ["Minutes"]),
        ImportColumn("start_on", "Start", summary: "A day like 2026-12-01", aliases: ["Start date", "Beginn"]),
        ImportColumn("due_on", "Due", summary: "A day like 2026-12-01", aliases: ["Due date", "Deadline", "Fällig"]),
        ImportColumn("due_time", "Due time", summary: "A time like 17:30"),
        ImportColumn("tags", "Tags", summary: "Names, between commas; new ones are made", aliases: ["Labels", "Tag"]),
    ]

    @Sendable static func target(_ target: JSON, _ call: Call) async throws -> JSON {
        let project = target["project_id"]?.stringValue.flatMap { UUID($0) }
        guard let project, target.objectValue?.count == 1 else {
            throw Problem.unprocessable("/target/project_id", "required", "is required, and nothing else: the project's id")
        }
        _ = try await ProjectAccess.require(.contribute, in: project, call)
        return ["project_id": .string(project.description)]
    }

    @Sendable @inline(never)
    static func write(_ rows: [ImportRow], _ run: ImportRun, _ tx: Transaction) async throws -> [ImportOutcome] {
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
        (cell ?? "").split(whereSeparator: { ",;".contains($0) }).map { String($0.drop { $0 == " " }) }.filter { !$0.isEmpty }
    }

    /// What the rows of a batch point at, asked for once.
    struct Known {
        var states: [String: UUID] = [:]
        var members: [String: UUID] = [:]
        var outsiders: Set<UUID> = []
        var tags: [String: UUID] = [:]
        var custom: [CustomFields.Checked] = []
        var types: [String: CustomFieldType] = [:]

        @inline(never)
        static func load(_ rows: [ImportRow], _ project: UUID, _ run: ImportRun, _ tx: Transaction) async throws -> Known {
            var known = Known()
            let addresses = Set(rows.flatMap { names($0["assignees"]) }.map { $0.lowercased() })
            let answers = try await tx.batch([
                "SELECT id, lower(name) AS name FROM project_states WHERE company_id = \(run.company) AND project_id = \(project)",
                """
                SELECT m.id, u.email_norm AS email,
                       EXISTS (SELECT 1 FROM projects p WHERE p.company_id = m.company_id AND p.id = \(project)
                                  AND \(fragment: ProjectsDomain.isSeenByMember)) AS is_insider
                  FROM memberships m JOIN users u ON u.id = m.user_id
                 WHERE m.company_id = \(run.company) AND m.status = 'active' AND u.email_norm = ANY(\(Array(addresses)))
                """,
            ])
            for row in answers[0] { known.states[try row.get("name")] = try row.get("id") }
            for row in answers[1] {
                let member: UUID = try row.get("id")
                known.members[try row.get("email")] = member
                if try !row.get("is_insider", as: Bool.self) { known.outsiders.insert(member) }
            }
            known.tags = try await Tags.named(rows.flatMap { names($0["tags"]) }, company: run.company, in: tx)
            let fields = run.environment[CustomFields.self]
            for field in try await fields.fields(of: "task", scope: project, company: run.company) { known.types[field.key] = field.type }
            let values = rows.map { known.values($0) }
            known.custom = try await fields.check(all: values, of: "task", scope: project, company: run.company)
            return known
        }

        /// The cells of custom fields as values of their types; what is none is left as text, for the check to refuse.
        private func values(_ row: ImportRow) -> JSON {
            var object = JSON.Object()
            for (column, cell) in row.cells where column.hasPrefix("custom.") {
                let key = String(column.dropFirst(7))
                object[key] =
                    switch types[key] {
                    case .number, .money: (try? JSON.parse(cell)) ?? .string(cell)
                    case .boolean: ["true": true, "yes": true, "1": true, "false": false, "no": false, "0": false][cell.lowercased()] ?? .string(cell)
                    case .multiSelect: .array(names(cell).map(JSON.string))
                    case .text, .date, .select, .member, .url, nil: .string(cell)
                    }
            }
            return .object(object)
        }

        func draft(
            _ row: ImportRow, _ index: Int, _ project: UUID, _ run: ImportRun, _ faults: inout [ImportFault]
        ) -> TaskWriting.Draft {
            var draft = TaskWriting.Draft(project: project, title: row["title"] ?? "")
            if Text<250>(draft.title) == nil { faults.append(ImportFault("title", "invalid", "must be one line of up to 250 characters")) }
            draft.description = row["description"]
            if let text = draft.description, Prose<20000>(text) == nil { faults.append(ImportFault("description", "too-long", "may have 20,000 characters")) }
            draft.type = read("type", row, .task, "must be task, story, bug or epic", &faults) { TaskType(rawValue: $0.lowercased()) }
            draft.priority = read("priority", row, .none, "must be none, low, medium, high or urgent", &faults) { TaskPriority(rawValue: $0.lowercased()) }
            draft.state = read("state", row, nil, "is no state of this project", &faults) { states[$0.lowercased()] }
            draft.pointsHundredths = read("points", row, nil, "must be a number up to 9999", &faults) { text in
                Double(text).flatMap { $0 >= 0 && $0 <= 9999 ? Int(($0 * 100).rounded()) : nil }
            }
            draft.estimateMinutes = read("estimate_minutes", row, nil, "must be a whole number", &faults) { Int($0).flatMap { Minutes($0)?.value } }
            draft.startOn = read("start_on", row, nil, "must be a day like 2026-12-01", &faults) { LocalDate($0) }
            draft.dueOn = read("due_on", row, nil, "must be a day like 2026-12-01", &faults) { LocalDate($0) }
            draft.dueTime = read("due_time", row, nil, "must be a time like 17:30", &faults) { DayTime($0) }
            if let start = draft.startOn, let due = draft.dueOn, start > due { faults.append(ImportFault("due_on", "before-start", "is before the start")) }
            if draft.dueTime != nil, draft.dueOn == nil { faults.append(ImportFault("due_time", "without-date", "needs a due day")) }
            for address in names(row["assignees"]) {
                if let member = members[address.lowercased()], !outsiders.contains(member) {
                    if !draft.assignees.contains(member) { draft.assignees.append(member) }
                } else {
                    faults.append(ImportFault("assignees", "cannot-see", "\(address) is nobody who can see the project"))
                }
            }
            for fault in custom[index].faults {
                if case .body(let pointer) = fault.place {
                    faults.append(ImportFault("custom.\(pointer.dropFirst("/custom/".count))", fault.code, fault.detail))
                }
            }
            draft.custom = custom[index].values
            draft.reporter = run.member.memberId
            return draft
        }

        private func read<Value>(
            _ column: String, _ row: ImportRow, _ absent: Value, _ rule: String, _ faults: inout [ImportFault],
            _ parse: (String) -> Value?
        ) -> Value {
            guard let cell = row[column] else { return absent }
            if let value = parse(cell) { return value }
            faults.append(ImportFault(column, "invalid", rule))
            return absent
        }

        /// The same where nothing is a value too.
        private func read<Value>(
            _ column: String, _ row: ImportRow, _ absent: Value?, _ rule: String, _ faults: inout [ImportFault],
            _ parse: (String) -> Value?
        ) -> Value? {
            guard let cell = row[column] else { return absent }
            if let value = parse(cell) { return value }
            faults.append(ImportFault(column, "invalid", rule))
            return absent
        }
    }
}
