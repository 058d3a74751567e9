import API
import Core

/// What projects themselves bring into the domain.
extension ProjectsDomain {
    static let projectsEvents = ProjectEvents.all
    static let projectsProblems: [ProblemCode] = [.projectArchived, .projectKeyTaken, .projectDatesReversed]
    static let projectsConstraints: [ConstraintProblem] = [
        ConstraintProblem("projects_dates_in_order", .projectDatesReversed, pointer: "/due_on")
    ]
    static let projectsPersonalData: [PersonalData] = [
        .none("project_favourites", "memberships' favourites"),
        .none("retired_project_keys", "keys of projects that are gone"),
    ]
}

extension ProblemCode {
    static let projectArchived = ProblemCode(
        "project-archived", 409, "This project is archived", advice: "Restore the project first.")
    static let projectKeyTaken = ProblemCode(
        "project-key-taken", 409, "Another project has or had this key",
        advice: "Choose another key, or leave it out to be given one.")
    static let projectDatesReversed = ProblemCode(
        "project-dates-reversed", 422, "A project cannot be due before it starts", advice: "Change one of the dates.")
}
