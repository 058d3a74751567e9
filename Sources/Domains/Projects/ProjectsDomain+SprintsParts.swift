import API
import Core

/// What sprints and reports add to the domain.
extension ProjectsDomain {
    static let ofSprints: [PersonalData] = [
        .none("task_flow", "the history of the company's work; who acted is kept as in the record of acts"),
        .none("sprint_events", "the history of the company's sprints; who acted is kept as in the record of acts"),
    ]
}
