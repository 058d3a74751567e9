import API
import Core

/// Projects and what is done in them: members, states, sprints, tasks, time and the reports over all of it.
///
/// Owns projects, project_members, project_states, sprints, tasks, task_assignees and what hangs on them. Reads
/// memberships and users.
public enum ProjectsDomain: Domain {
    public static let name = "Projects"
    public static let summary = "Projects, sprints, tasks, time and reports."

    // One name a line.
    public static var routes: [Route] {
        []
            + Projects.routes
            + ProjectLifecycle.routes
            + ProjectMembers.routes
            + ProjectFavourites.routes
            + ProjectCover.routes
            + ProjectTrash.routes
            + ProjectBulk.routes
            + ProjectDuplicate.routes
            + ProjectActivity.routes
            + ProjectSummary.routes
            + ProjectStates.routes
            + TimeEntries.routes
            + RunningTimer.routes
            + TimeTotals.routes
            + Timesheets.routes
            + Budgets.routes
            + Milestones.routes
            + Goals.routes
            + ProjectTemplates.routes
            + Intake.routes
            + TaskRoutes.all
            + SprintRoutes.all
    }

    public static let permissions: [Permission] = [
        .projectsRead, .projectsWrite, .projectsManage, .tasksRead, .tasksWrite,
        .timeRead, .timeManage,
    ]

    public static let problems: [ProblemCode] =
        []
        + projectsProblems
        + timeProblems
        + ProblemCode.ofTasks
        + ProblemCode.ofSprints

    public static let constraints: [ConstraintProblem] =
        []
        + projectsConstraints
        + timeConstraints
        + ConstraintProblem.ofTasks
        + ConstraintProblem.ofSprints

    public static let events: [AnyEventType] =
        []
        + projectsEvents
        + TimeEvents.all
        + PlanEvents.all
        + IntakeNews.events
        + TaskEvents.all
        + SprintEvents.all

    public static let notifications: [NotificationType] =
        []
        + projectsNotifications
        + TimeNews.all
        + IntakeNews.all
        + TaskNews.all
        + SprintNews.all

    public static let watchables: [Watchable] =
        []
        + projectsWatchables
        + timeWatchables
        + IntakeNews.watchables
        + TaskNews.watchables
        + SprintNews.watchables

    public static let jobs: [JobHandler] =
        []
        + projectsJobs

    public static let workers: [Worker] =
        []
        + [TaskUpkeep.worker, TaskSearch.fill]

    public static let reactions = timeReactions

    public static let handovers: [HandoverPart] =
        []
        + projectsHandovers
        + tasksHandovers

    public static let retention: [RetentionClass] =
        []
        + tasksRetention

    public static let subjects = registeredSubjects
    public static let imports = registeredImports
    public static let exports = registeredExports
    public static let calendarSources = registeredCalendar

    public static let quotas: [Quota] = [ProjectLimits.projects]

    public static let personalData: [PersonalData] =
        [
            .none("projects", "the company's work; the lead is named by membership"),
            .none("project_members", "memberships of projects"),
            .none("project_states", "the company's own states"),
            .none("sprints", "the company's work"),
            .none("tasks", "the company's work; people are named by membership"),
            .none("task_assignees", "memberships of tasks"),
        ]
        + projectsPersonalData
        + timePersonalData
        + tasksPersonalData
        + registeredPersonalData
        + ofSprints
}
