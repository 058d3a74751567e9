import API
import Core
import Postgres
import Wire

extension TaskImport {
    /// What the rows of a batch point at, asked for once.
    struct Known {
        var states: [String: UUID] = [:]
        var members: [String: UUID] = [:]
        var outsiders: Set<UUID> = []
        var tags: [String: UUID] = [:]
        /// Tasks that others are to be part of, and why nothing can be part of some.
        var parents: [String: UUID] = [:]
        var fullParents: [UUID: String] = [:]
        var custom: [CustomFields.Checked] = []
        var types: [String: CustomFieldType] = [:]

        @inline(never)
        static func load(_ rows: [ImportRow], _ project: UUID, _ run: ImportRun, _ tx: Transaction)
            async throws -> Known
        {
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
            try await known.findParents(rows, project, run, tx)
            known.tags = try await Tags.named(
                rows.flatMap { names($0["tags"]) }, company: run.company, in: tx)
            let fields = run.environment[CustomFields.self]
            for field in try await fields.fields(of: "task", scope: project, company: run.company) {
                known.types[field.key] = field.type
            }
            let values = rows.map { known.values($0) }
            known.custom = try await fields.check(
                all: values, of: "task", scope: project, company: run.company)
            return known
        }

        @inline(never)
        private mutating func findParents(
            _ rows: [ImportRow], _ project: UUID, _ run: ImportRun, _ tx: Transaction
        )
            async throws
        {
            let numbers = Set(
                rows.compactMap { $0["parent_key"]?.split(separator: "-").last.flatMap { Int($0) } })
            if numbers.isEmpty { return }
            let answers = try await tx.batch([
                TaskGraph.lock(run.company),
                """
                SELECT t.id, lower(p.key || '-' || t.number) AS key FROM tasks t
                  JOIN projects p ON p.company_id = t.company_id AND p.id = t.project_id
                 WHERE t.company_id = \(run.company) AND t.project_id = \(project) AND t.deleted_at IS NULL
                   AND t.number = ANY(\(Array(numbers))::bigint[])
                """,
            ])
            for row in answers[1] {
                let parent: UUID = try row.get("id")
                parents[try row.get("key")] = parent
                do {
                    try await TaskGraph.checkParent(parent, of: UUID.v7(), in: project, run.company, tx)
                } catch let problem as Problem {
                    fullParents[parent] = problem.code.title
                }
            }
        }

        /// The cells of custom fields as values of their types; what is none is left as text, for the check to refuse.
        private func values(_ row: ImportRow) -> JSON {
            var object = JSON.Object()
            for (column, cell) in row.cells where column.hasPrefix("custom.") {
                let key = String(column.dropFirst(7))
                object[key] =
                    switch types[key] {
                    case .number, .money: (try? JSON.parse(cell)) ?? .string(cell)
                    case .boolean:
                        ["true": true, "yes": true, "1": true, "false": false, "no": false, "0": false][
                            cell.lowercased()] ?? .string(cell)
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
            if Text<250>(draft.title) == nil {
                faults.append(ImportFault("title", "invalid", "must be one line of up to 250 characters"))
            }
            draft.description = row["description"]
            if let text = draft.description, Prose<20000>(text) == nil {
                faults.append(ImportFault("description", "too-long", "may have 20,000 characters"))
            }
            draft.type = read("type", row, .task, "must be task, story, bug or epic", &faults) {
                TaskType(rawValue: $0.lowercased())
            }
            draft.priority = read(
                "priority", row, .none, "must be none, low, medium, high or urgent", &faults
            ) { TaskPriority(rawValue: $0.lowercased()) }
            draft.state = read("state", row, nil, "is no state of this project", &faults) {
                states[$0.lowercased()]
            }
            draft.pointsHundredths = read("points", row, nil, "must be a number up to 9999", &faults) {
                text in
                Double(text).flatMap { $0 >= 0 && $0 <= 9999 ? Int(($0 * 100).rounded()) : nil }
            }
            draft.estimateMinutes = read("estimate_minutes", row, nil, "must be a whole number", &faults) {
                Int($0).flatMap { Minutes($0)?.value }
            }
            draft.startOn = read("start_on", row, nil, "must be a day like 2026-12-01", &faults) {
                LocalDate($0)
            }
            draft.dueOn = read("due_on", row, nil, "must be a day like 2026-12-01", &faults) { LocalDate($0) }
            draft.dueTime = read("due_time", row, nil, "must be a time like 17:30", &faults) { DayTime($0) }
            if let start = draft.startOn, let due = draft.dueOn, start > due {
                faults.append(ImportFault("due_on", "before-start", "is before the start"))
            }
            if draft.dueTime != nil, draft.dueOn == nil {
                faults.append(ImportFault("due_time", "without-date", "needs a due day"))
            }
            draft.parent = read("parent_key", row, nil, "is no task of this project", &faults) {
                parents[$0.lowercased()]
            }
            if let reason = draft.parent.flatMap({ fullParents[$0] }) {
                faults.append(ImportFault("parent_key", "full", reason))
            }
            for address in names(row["assignees"]) {
                if let member = members[address.lowercased()], !outsiders.contains(member) {
                    if !draft.assignees.contains(member) { draft.assignees.append(member) }
                } else {
                    faults.append(
                        ImportFault("assignees", "cannot-see", "\(address) is nobody who can see the project")
                    )
                }
            }
            for fault in custom[index].faults {
                if case .body(let pointer) = fault.place {
                    faults.append(
                        ImportFault("custom.\(pointer.dropFirst("/custom/".count))", fault.code, fault.detail)
                    )
                }
            }
            draft.custom = custom[index].values
            draft.reporter = run.member.memberId
            return draft
        }

        private func read<Value>(
            _ column: String, _ row: ImportRow, _ absent: Value, _ rule: String,
            _ faults: inout [ImportFault],
            _ parse: (String) -> Value?
        ) -> Value {
            guard let cell = row[column] else { return absent }
            if let value = parse(cell) { return value }
            faults.append(ImportFault(column, "invalid", rule))
            return absent
        }

        /// The same where nothing is a value too.
        private func read<Value>(
            _ column: String, _ row: ImportRow, _ absent: Value?, _ rule: String,
            _ faults: inout [ImportFault],
            _ parse: (String) -> Value?
        ) -> Value? {
            guard let cell = row[column] else { return absent }
            if let value = parse(cell) { return value }
            faults.append(ImportFault(column, "invalid", rule))
            return absent
        }
    }
}
