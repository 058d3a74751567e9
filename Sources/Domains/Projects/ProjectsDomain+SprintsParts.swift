import API
import Core

/// What sprints and reports add to the domain.
extension ProjectsDomain {
    static let ofSprints: [PersonalData] = [
        .none("task_flow", "the history of the company's work; who acted is kept as in the record of acts"),
        .none(
            "sprint_events",
            "the history of the company's sprints; who acted is kept as in the record of acts"),
        .none("sprint_settings", "the company's own settings"),
        .none("sprint_capacities", "the company's plans; people are named by membership"),
        .none("sprint_reports", "what the company's sprints came to"),
    ]
}

/// All routes of sprints.
enum SprintRoutes {
    static var all: [Route] {
        Sprints.routes + SprintSettingsRoutes.routes + SprintLifecycle.routes + SprintTasks.routes
            + SprintCapacity.routes
            + SprintReports.routes + ReportRoutes.routes
    }
}

extension ProblemCode {
    static let ofSprints: [ProblemCode] = [
        .sprintDatesReversed, .sprintTooLong, .sprintOverlaps, .sprintAlreadyActive, .sprintsAreParallel,
        .sprintNotPlanned, .sprintNotActive, .sprintNotClosed, .sprintClosed, .sprintFull, .tooManySprints,
        .sprintNoReport, .reportSpan,
    ]
}

extension ConstraintProblem {
    static let ofSprints: [ConstraintProblem] = [
        ConstraintProblem("sprints_active_key", .sprintAlreadyActive),
        ConstraintProblem("sprints_dates_in_order", .sprintDatesReversed, pointer: "/ends_on"),
    ]
}
