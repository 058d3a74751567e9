import API
import Core

extension ProblemCode {
    static let flagKeyTaken = ProblemCode(
        "flag-key-taken", 409, "A feature flag of this key exists already", advice: "Choose another key.")
    static let flagInUse = ProblemCode(
        "flag-in-use", 409, "Other feature flags go by this one",
        advice: "Take it out of their prerequisites first.")
    static let approvalRequired = ProblemCode(
        "approval-required", 409, "Somebody else must agree to this change",
        advice: "Propose it at /v1/config-changes; whoever else may change it can approve it there.")
    static let segmentKeyTaken = ProblemCode(
        "segment-key-taken", 409, "A segment of this key exists already", advice: "Choose another key.")
    static let segmentInUse = ProblemCode(
        "segment-in-use", 409, "Feature flags go by this segment", advice: "Take it out of their rules first."
    )
    static let tooManySegments = ProblemCode(
        "too-many-segments", 409, "There are as many segments as there may be", advice: "Delete one first.")

    static let tooManyChanges = ProblemCode(
        "too-many-changes", 409, "As many changes wait as may", advice: "Approve or cancel some first.")
    static let tooManyGrants = ProblemCode(
        "too-many-quota-grants", 409, "The company has as many grants of this quota as it may",
        advice: "Let some be used up or expire.")
    static let changeDecided = ProblemCode(
        "change-decided", 409, "This change has been decided", advice: "Read it again.")
    static let ownChange = ProblemCode(
        "own-change", 403, "Nobody approves a change of their own",
        advice: "Somebody else who may make it has to agree.")

    static let ofConfig: [ProblemCode] = [
        quotaUsedUp, flagKeyTaken, flagInUse, approvalRequired, segmentKeyTaken, segmentInUse,
        tooManySegments,
        tooManyGrants, tooManyChanges, changeDecided, ownChange,
    ]
}

extension ConstraintProblem {
    static let ofConfig = [
        ConstraintProblem("feature_flags_key_key", .flagKeyTaken, pointer: "/key"),
        ConstraintProblem("segments_key_key", .segmentKeyTaken, pointer: "/key"),
    ]
}
