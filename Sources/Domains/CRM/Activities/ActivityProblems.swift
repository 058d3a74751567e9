import API

extension ProblemCode {
    static let activityIsDone = ProblemCode(
        "activity-is-done", 409, "The activity has happened already", advice: "Reopen it first.")
    static let activityNotPlanned = ProblemCode(
        "activity-not-planned", 409, "Notes are never planned", advice: "Plan a call or a meeting.")
    static let activityOwnerUnknown = ProblemCode(
        "activity-owner-unknown", 422, "The owner is no member of the company",
        advice: "Send the id of a member.")
    static let tooManyLinkedTasks = ProblemCode(
        "too-many-linked-tasks", 409, "The record has as many tasks as it may", advice: "Unlink one first.")

    static let ofActivities: [ProblemCode] = [
        activityIsDone, activityNotPlanned, activityOwnerUnknown, tooManyLinkedTasks,
    ]
}

extension ConstraintProblem {
    static let ofActivities: [ConstraintProblem] = [
        ConstraintProblem("activities_owner_fkey", .activityOwnerUnknown, pointer: "/owner_id"),
        ConstraintProblem("activities_ends_after_start", .invalidRequest, pointer: "/ends_at"),
    ]
}
