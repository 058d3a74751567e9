import API
import Core
import Postgres

/// What tasks add to the domain.
extension ProjectsDomain {
    static let tasksPersonalData: [PersonalData] = [
        .none("task_keys", "keys that tasks had before"),
        PersonalData(
            "task_history", "What somebody changed of tasks", of: .rows { subject in
                subject.user.map { user in
                    """
                    t.member_id IN (SELECT m.id FROM memberships m WHERE m.company_id = t.company_id AND m.user_id = \(user))
                    """
                }
            }, erase: .keep("Who changed what has to stay explainable. It names people by their memberships.")),
        .none("task_relations", "how tasks stand to each other"),
        .none("task_checklist_items", "the company's work"),
        .none("task_links", "the company's work"),
        .none("task_attachments", "files of tasks"),
        .none("task_upkeep", "when something is next due in a company's tasks"),
        .none("recurring_tasks", "the company's work; who made a rule is named by membership"),
        .none("task_occurrences", "which days of a rule were met"),
    ]
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
    }
}
