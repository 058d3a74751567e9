import API

extension ProblemCode {
    static let taskBlocked = ProblemCode(
        "task-blocked", 409, "Another task has to be done first",
        advice: "Finish the tasks that the detail names, or send `force`.")
    static let wipLimitReached = ProblemCode(
        "wip-limit-reached", 409, "The state holds as many tasks as it may",
        advice: "Finish a task of that state first, or send `force`.")
    static let taskSprintClosed = ProblemCode(
        "task-sprint-closed", 409, "This sprint is closed",
        advice: "Choose a sprint that is planned or active.")
    static let taskCircle = ProblemCode(
        "task-circle", 409, "This would lead back to the task itself",
        advice: "A task cannot be part of itself, nor wait for itself, over whatever others.")
    static let taskTooDeep = ProblemCode(
        "task-too-deep", 409, "Sub-tasks are nested as deeply as they may",
        advice: "Choose a parent higher up.")
    static let tooManySubtasks = ProblemCode(
        "too-many-subtasks", 409, "The task has as many sub-tasks as it may",
        advice: "Group them under sub-tasks of their own.")
    static let tooManyAssignees = ProblemCode(
        "too-many-assignees", 409, "The task has as many assignees as it may",
        advice: "Take somebody off first.")
    static let taskRelationExists = ProblemCode(
        "task-relation-exists", 409, "The tasks are related like this already",
        advice: "There is nothing to do.")
    static let tooManyTaskParts = ProblemCode(
        "too-many-task-parts", 409, "The task has as many of these as it may", advice: "Take one away first.")
    static let taskLinkExists = ProblemCode(
        "task-link-exists", 409, "The task has this link already", advice: "There is nothing to do.")
    static let taskFileAttached = ProblemCode(
        "task-file-attached", 409, "The file is attached to this task already",
        advice: "There is nothing to do.")
    static let taskNotInTrash = ProblemCode(
        "task-not-in-trash", 409, "The task is neither in the trash nor archived",
        advice: "There is nothing to restore.")
    static let taskSameProject = ProblemCode(
        "task-in-this-project", 409, "The task is in this project already", advice: "Choose another project.")
    static let tooManyMoved = ProblemCode(
        "too-many-tasks-at-once", 409, "These are more tasks than can be done at once",
        advice: "Do parts of them first: a part of the sub-tasks, for instance.")
    static let recurrenceEnded = ProblemCode(
        "recurrence-ended", 409, "The recurrence has come to its end", advice: "Set another end, or none.")
    static let tooManyRecurrences = ProblemCode(
        "too-many-recurrences", 409, "The project has as many recurring tasks as it may",
        advice: "Delete one first.")

    static let ofTasks: [ProblemCode] = [
        taskBlocked, wipLimitReached, taskSprintClosed, taskCircle, taskTooDeep, tooManySubtasks,
        tooManyAssignees,
        taskRelationExists, tooManyTaskParts, taskLinkExists, taskFileAttached, taskNotInTrash,
        taskSameProject,
        tooManyMoved, recurrenceEnded, tooManyRecurrences,
    ]
}

extension ConstraintProblem {
    static let ofTasks: [ConstraintProblem] = [
        ConstraintProblem("task_relations_once", .taskRelationExists),
        ConstraintProblem("task_links_url_once", .taskLinkExists, pointer: "/url"),
        ConstraintProblem("task_links_object_once", .taskLinkExists, pointer: "/object_id"),
        ConstraintProblem("task_attachments_once", .taskFileAttached, pointer: "/file_id"),
    ]
}
