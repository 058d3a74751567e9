import Core
import Postgres
import Wire

/// The statements that bring changed tasks into the database, however many they are.
enum TaskUpdate {
    static func statements(_ changed: [TaskWriting.Changed], _ company: UUID) -> [SQL] {
        let fields = Set(changed.flatMap { $0.fields.map(\.field) })
        let json = JSONText(.array(changed.map { row($0.after) }))
        var statements: [SQL] = [
            """
            UPDATE tasks t
               SET \(fragment: assignments(fields).joined(separator: ", "))
              FROM jsonb_to_recordset(\(json)::jsonb) AS d (
                   id uuid, project_id uuid, number integer, rank text, type text, title text, description text,
                   state_id uuid, category text, priority text, parent_id uuid, sprint_id uuid, reporter_id uuid,
                   points_hundredths integer, estimate_minutes integer, start_on date, due_on date, due_time time,
                   custom jsonb, is_archived boolean, deleted_with uuid, assignee_ids jsonb)
              JOIN projects p ON p.company_id = \(company) AND p.id = d.project_id
             WHERE t.company_id = \(company) AND t.id = d.id
            """
        ]
        if fields.contains(.assignees) { statements += assign(json, company) }
        if fields.contains(.tags) { statements += tag(json, company) }
        return statements
    }

    private static func row(_ task: TaskSnapshot) -> JSON {
        [
            "id": .id(task.id), "project_id": .id(task.projectId), "number": JSON(task.number),
            "type": .string(task.type.rawValue), "title": .string(task.title),
            "description": .optional(task.description),
            "state_id": .id(task.stateId), "category": .string(task.category.rawValue),
            "priority": .string(task.priority.rawValue), "parent_id": .id(task.parentId),
            "sprint_id": .id(task.sprintId), "reporter_id": .id(task.reporterId),
            "points_hundredths": task.pointsHundredths.map { JSON($0) } ?? .null,
            "estimate_minutes": task.estimateMinutes.map { JSON($0) } ?? .null,
            "start_on": .optional(task.startOn?.description), "due_on": .optional(task.dueOn?.description),
            "due_time": .optional(task.dueTime), "custom": task.custom, "is_archived": .bool(task.isArchived),
            "deleted_with": .id(task.deletedWith), "assignee_ids": .array(task.assigneeIds.map { .id($0) }),
            "tag_ids": .array(task.tagIds.map { .id($0) }),
            "rank": .optional(task.newRank?.text),
        ]
    }

    /// Only what changed is set, so that what nobody touched costs nothing: words are indexed anew with a title alone.
    private static func assignments(_ fields: Set<TaskField>) -> [SQL] {
        var set: [SQL] = ["version = t.version + 1", "updated_at = now()"]
        let plain: [(TaskField, String)] = [
            (.title, "title"), (.description, "description"), (.type, "type"), (.priority, "priority"),
            (.parent, "parent_id"), (.sprint, "sprint_id"), (.reporter, "reporter_id"),
            (.estimateMinutes, "estimate_minutes"), (.startOn, "start_on"), (.custom, "custom"),
        ]
        for (field, column) in plain where fields.contains(field) {
            set.append("\(unescaped: column) = d.\(unescaped: column)")
        }
        if fields.contains(.points) { set.append("points = d.points_hundredths / 100.0") }
        if fields.contains(.assignees) {
            set.append("assignee_ids = ARRAY(SELECT jsonb_array_elements_text(d.assignee_ids)::uuid)")
        }
        if fields.contains(.project) {
            set += ["project_id = d.project_id", "number = d.number", "rank = d.rank"]
        }
        if fields.contains(.state) || fields.contains(.project) {
            set += [
                "state_id = d.state_id", "category = d.category",
                "completed_at = CASE WHEN d.category = 'completed' THEN coalesce(t.completed_at, now()) END",
            ]
        }
        if !fields.isDisjoint(with: [.dueOn, .dueTime, .project]) {
            set += [
                "due_on = d.due_on", "due_time = d.due_time",
                "due_at = \(fragment: TaskRows.dueAt("d", zone: "p.time_zone"))",
            ]
        }
        if fields.contains(.archived) {
            set.append("archived_at = CASE WHEN d.is_archived THEN coalesce(t.archived_at, now()) END")
        }
        if fields.contains(.deleted) {
            set += [
                "deleted_with = d.deleted_with",
                "deleted_at = CASE WHEN d.deleted_with IS NOT NULL THEN coalesce(t.deleted_at, now()) END",
            ]
        }
        return set
    }

    /// Leaves the tasks exactly those who are named in their rows.
    private static func assign(_ json: JSONText, _ company: UUID) -> [SQL] {
        let wanted = named("assignee_ids", json)
        return [
            remove("task_assignees", "member_id", but: wanted, json, company),
            """
            INSERT INTO task_assignees (company_id, task_id, member_id, task_created_at)
            SELECT \(company), wanted.task_id, wanted.named_id, t.created_at
              FROM \(fragment: wanted) AS wanted JOIN tasks t ON t.company_id = \(company) AND t.id = wanted.task_id
            ON CONFLICT ON CONSTRAINT task_assignees_pkey DO NOTHING
            """,
        ]
    }

    private static func tag(_ json: JSONText, _ company: UUID) -> [SQL] {
        let wanted = named("tag_ids", json)
        return [
            remove("task_tags", "tag_id", but: wanted, json, company),
            """
            INSERT INTO task_tags (company_id, task_id, tag_id)
            SELECT \(company), wanted.task_id, wanted.named_id FROM \(fragment: wanted) AS wanted
            ON CONFLICT ON CONSTRAINT task_tags_pkey DO NOTHING
            """,
        ]
    }

    private static func remove(
        _ table: String, _ column: String, but wanted: SQL, _ json: JSONText, _ company: UUID
    ) -> SQL {
        """
        DELETE FROM \(unescaped: table) a
         WHERE a.company_id = \(company)
           AND a.task_id IN (SELECT d.id FROM jsonb_to_recordset(\(json)::jsonb) AS d (id uuid))
           AND (a.task_id, a.\(unescaped: column)) NOT IN \(fragment: wanted)
        """
    }

    /// Each id that a member of the rows names, with its task.
    private static func named(_ member: String, _ json: JSONText) -> SQL {
        """
        (SELECT d.id AS task_id, named.value::uuid AS named_id
           FROM jsonb_to_recordset(\(json)::jsonb) AS d (id uuid, \(unescaped: member) jsonb)
          CROSS JOIN jsonb_array_elements_text(d.\(unescaped: member)) AS named)
        """
    }
}
