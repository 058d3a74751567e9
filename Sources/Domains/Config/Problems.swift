import API
import Core

extension ProblemCode {
    static let flagKeyTaken = ProblemCode(
        "flag-key-taken", 409, "A feature flag of this key exists already", advice: "Choose another key.")
    static let flagInUse = ProblemCode(
        "flag-in-use", 409, "Other feature flags go by this one", advice: "Take it out of their prerequisites first.")
    static let approvalRequired = ProblemCode(
        "approval-required", 409, "Somebody else must agree to this change",
        advice: "Propose it at /v1/config-changes; whoever else may change it can approve it there.")
    static let segmentKeyTaken = ProblemCode(
        "segment-key-taken", 409, "A segment of this key exists already", advice: "Choose another key.")
    static let segmentInUse = ProblemCode(
        "segment-in-use", 409, "Feature flags go by this segment", advice: "Take it out of their rules first.")
    static let tooManySegments = ProblemCode(
        "too-many-segments", 409, "There are as many segments as there may be", advice: "Delete one first.")

    static let ofConfig: [ProblemCode] = [
        quotaUsedUp, flagKeyTaken, flagInUse, approvalRequired, segmentKeyTaken, segmentInUse, tooManySegments,
    ]
}

extension ConstraintProblem {
    static let ofConfig = [
        ConstraintProblem("feature_flags_key_key", .flagKeyTaken, pointer: "/key"),
        ConstraintProblem("segments_key_key", .segmentKeyTaken, pointer: "/key"),
    ]
}
