import API

extension ProblemCode {
    static let sprintDatesReversed = ProblemCode(
        "sprint-dates-reversed", 422, "A sprint cannot end before it starts",
        advice: "Change one of the dates.")
    static let sprintTooLong = ProblemCode(
        "sprint-too-long", 422, "A sprint may be \(SprintLimits.daysMax) days long",
        advice: "Choose an earlier end.")
    static let sprintOverlaps = ProblemCode(
        "sprint-overlaps", 409, "Another sprint of the project has these days",
        advice: "Choose other dates (`conflicts` names what is in the way), or allow parallel sprints.")
    static let sprintAlreadyActive = ProblemCode(
        "sprint-already-active", 409, "Another sprint of the project is active",
        advice: "Close it first, or allow parallel sprints.")
    static let sprintsAreParallel = ProblemCode(
        "sprints-are-parallel", 409, "Sprints of this project run or are planned side by side",
        advice: "Close or move them first.")
    static let sprintNotPlanned = ProblemCode(
        "sprint-not-planned", 409, "This sprint has been started",
        advice: "Only a planned sprint can do this.")
    static let sprintNotActive = ProblemCode(
        "sprint-not-active", 409, "This sprint is not active", advice: "Start it first.")
    static let sprintNotClosed = ProblemCode(
        "sprint-not-closed", 409, "This sprint is not closed", advice: "There is nothing to reopen.")
    static let sprintClosed = ProblemCode(
        "sprint-closed", 409, "This sprint is closed", advice: "Reopen it first, or take another one.")
    static let sprintFull = ProblemCode(
        "sprint-full", 409, "The sprint has as many tasks as it may", advice: "Take some out first.")
    static let tooManySprints = ProblemCode(
        "too-many-sprints", 409, "The project has as many sprints as it may",
        advice: "Delete planned ones first.")
    static let sprintNoReport = ProblemCode(
        "sprint-not-started", 409, "This sprint has not been started",
        advice: "There is a report from its start on.")
}
