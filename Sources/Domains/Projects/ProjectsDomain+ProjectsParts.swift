import API
import Core

/// What projects themselves bring into the domain.
extension ProjectsDomain {
    static let projectsEvents = ProjectEvents.all
    static let projectsProblems: [ProblemCode] = [
        .projectArchived, .projectKeyTaken, .projectDatesReversed, .projectStepRefused,
        .tooManyProjectMembers,
        .leadManages, .stateNameTaken, .stateInUse, .stateIsNeeded, .tooManyStates,
        .tooManyMilestones, .tooManyGoals, .templateNameTaken, .tooManyTemplates,
        .intakeDecided,
    ]
    static let projectsConstraints: [ConstraintProblem] = [
        ConstraintProblem("projects_dates_in_order", .projectDatesReversed, pointer: "/due_on"),
        ConstraintProblem("project_states_name_key", .stateNameTaken, pointer: "/name"),
        ConstraintProblem("tasks_state_fkey", .stateInUse),
        ConstraintProblem("project_templates_name_key", .templateNameTaken, pointer: "/name"),
    ]
    static let projectsNotifications = ProjectNews.all
    static let projectsWatchables = ProjectNews.watchables
    static let projectsJobs: [JobHandler] = [ProjectTrash.handler]
    static let projectsPersonalData: [PersonalData] = [
        .none("project_favourites", "memberships' favourites"),
        .none("retired_project_keys", "keys of projects that are gone"),
        .none("project_milestones", "the company's plans"),
        .none("project_goals", "the company's plans"),
        .none("milestone_tasks", "the company's plans"),
        .none("goal_tasks", "the company's plans"),
        .none("project_templates", "the company's plans"),
        .none("intake_requests", "what is asked of the company's projects; people are named by membership"),
    ]
}

extension ProblemCode {
    static let projectArchived = ProblemCode(
        "project-archived", 409, "This project is archived", advice: "Restore the project first.")
    static let projectKeyTaken = ProblemCode(
        "project-key-taken", 409, "Another project has or had this key",
        advice: "Choose another key, or leave it out to be given one.")
    static let projectDatesReversed = ProblemCode(
        "project-dates-reversed", 422, "A project cannot be due before it starts",
        advice: "Change one of the dates.")
    static let projectStepRefused = ProblemCode(
        "project-step-refused", 409, "A project cannot go this way from where it is",
        advice: "`project_status` says where it is, `allowed` from where this step can be taken.")
    static let tooManyProjectMembers = ProblemCode(
        "too-many-project-members", 409, "The project has as many members as it may",
        advice: "Take somebody out first, or open the project to the company.")
    static let leadManages = ProblemCode(
        "lead-manages", 409, "The lead of a project is one of its managers",
        advice: "Make somebody else the lead first.")
    static let stateNameTaken = ProblemCode(
        "state-name-taken", 409, "A state of this name exists in the project already",
        advice: "Choose another name.")
    static let stateInUse = ProblemCode(
        "state-in-use", 409, "Tasks are in this state", advice: "Say in `move_to` which state they go to.")
    static let stateIsNeeded = ProblemCode(
        "state-is-needed", 409, "A project cannot do without this state",
        advice: "Make another one initial, or add another one of its category first.")
    static let tooManyStates = ProblemCode(
        "too-many-states", 409, "The project has as many states as it may", advice: "Delete one first.")
    static let tooManyMilestones = ProblemCode(
        "too-many-milestones", 409, "The project has as many milestones as it may",
        advice: "Delete one first.")
    static let tooManyGoals = ProblemCode(
        "too-many-goals", 409, "The project has as many goals as it may", advice: "Delete one first.")
    static let templateNameTaken = ProblemCode(
        "template-name-taken", 409, "A template of this name exists already", advice: "Choose another name.")
    static let tooManyTemplates = ProblemCode(
        "too-many-templates", 409, "The company has as many templates as it may", advice: "Delete one first.")
    static let intakeDecided = ProblemCode(
        "intake-decided", 409, "This request has been decided", advice: "Ask again, or work on its task.")
}
