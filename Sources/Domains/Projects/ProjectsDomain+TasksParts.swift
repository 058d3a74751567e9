import API
import Core
import Postgres
import Wire

/// What tasks add to the domain.
extension ProjectsDomain {
    static let tasksPersonalData: [PersonalData] = [
        .none("task_keys", "keys that tasks had before"),
        PersonalData(
            "task_history", "What somebody changed of tasks",
            of: .rows { subject in
                subject.user.map { user in
                    """
                    t.member_id IN (SELECT m.id FROM memberships m WHERE m.company_id = t.company_id AND m.user_id = \(user))
                    """
                }
            }, erase: .keep("Who changed what has to stay explainable. It names people by their memberships.")
        ),
        .none("task_relations", "how tasks stand to each other"),
        .none("task_checklist_items", "the company's work"),
        .none("task_links", "the company's work"),
        .none("task_attachments", "files of tasks"),
        .none("task_upkeep", "when something is next due in a company's tasks"),
        .none("recurring_tasks", "the company's work; who made a rule is named by membership"),
        .none("task_occurrences", "which days of a rule were met"),
    ]

    static let tasksRetention: [RetentionClass] = [
        RetentionClass(
            "task_trash", "Tasks in the trash, counted from their deletion", table: "tasks",
            since: "deleted_at",
            only: "t.deleted_at IS NOT NULL", days: TaskLimits.trashDays, isSweptElsewhere: true)
    ]

    static let tasksHandovers: [HandoverPart] = [
        HandoverPart(
            "assigned_tasks", "Open tasks go to the other, where he can see their projects.",
            count: { who in
                "SELECT count(*) AS count FROM (\(fragment: openTasks(of: who, company: who.company))) AS open"
            },
            move: { from, to in
                let moved: SQL = """
                    \(fragment: openTasks(of: from, company: from.company))
                     AND (p.visibility = 'company' OR p.lead_id = \(to.member) OR EXISTS (
                         SELECT 1 FROM project_members place
                          WHERE place.company_id = p.company_id AND place.project_id = p.id AND place.member_id = \(to.member)))
                    """
                return [
                    """
                    INSERT INTO task_history (company_id, id, task_id, actor_kind, member_id, field, before, after)
                    SELECT \(from.company), md5(open.id || now()::text || \(from.member.description))::uuid, open.id, 'system',
                           \(from.member), 'assignees', jsonb_build_array(\(from.member)::uuid),
                           jsonb_build_array(\(to.member)::uuid)
                      FROM (\(fragment: moved)) AS open
                    """,
                    """
                    INSERT INTO task_assignees (company_id, task_id, member_id, task_created_at)
                    SELECT \(from.company), open.id, \(to.member), open.created_at FROM (\(fragment: moved)) AS open
                    ON CONFLICT DO NOTHING
                    """,
                    """
                    UPDATE tasks SET version = version + 1, updated_at = now(),
                           assignee_ids = array_remove(assignee_ids, \(from.member))
                               || CASE WHEN \(to.member) = ANY(assignee_ids) THEN '{}' ELSE ARRAY[\(to.member)::uuid] END
                     WHERE company_id = \(from.company) AND id IN (SELECT open.id FROM (\(fragment: moved)) AS open)
                    """,
                    """
                    DELETE FROM task_assignees
                     WHERE company_id = \(from.company) AND member_id = \(from.member)
                       AND task_id IN (SELECT open.id FROM (\(fragment: moved)) AS open)
                    """,
                ]
            })
    ]

    private static func openTasks(of who: HandoverPart.Holder, company: UUID) -> SQL {
        """
        SELECT t.id, t.created_at FROM task_assignees a
          JOIN tasks t ON t.company_id = a.company_id AND t.id = a.task_id
          JOIN projects p ON p.company_id = t.company_id AND p.id = t.project_id
         WHERE a.company_id = \(company) AND a.member_id = \(who.member) AND t.deleted_at IS NULL
           AND p.deleted_at IS NULL AND t.category IN ('backlog', 'unstarted', 'started')
        """
    }
}

/// All routes of tasks.
enum TaskRoutes {
    static var all: [Route] {
        Tasks.routes
            + TaskStates.routes
            + TaskMoves.routes
            + TaskLife.routes
            + Board.routes
            + TaskAssignees.routes
            + Subtasks.routes
            + Checklist.routes
            + TaskRelations.routes
            + TaskLinks.routes
            + TaskAttachments.routes
            + TaskHistory.routes
            + TaskBulk.routes
            + RecurringTasks.routes
    }
}
