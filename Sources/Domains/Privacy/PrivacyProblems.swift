import API

extension ProblemCode {
    static let erasureNotPlanned = ProblemCode(
        "erasure-not-planned", 409, "The erasure cannot be confirmed any more",
        advice: "Only a plan, or one that was blocked, can be confirmed. Ask for a new one.")
    static let erasureNotCancellable = ProblemCode(
        "erasure-not-cancellable", 409, "The erasure cannot be cancelled any more",
        advice: "It can be until the time in `execute_after`.")
    static let reportNotReady = ProblemCode(
        "report-not-ready", 409, "There is no report yet",
        advice: "It is written when the erasure has been done.")
    static let underLegalHold = ProblemCode(
        "under-legal-hold", 409, "The company must keep its data for now",
        advice: "Release the legal hold first, if the reason for it is gone.")
    static let exportNotReady = ProblemCode(
        "export-not-ready", 409, "The file is not there",
        advice: "Wait until the state is `done`; once it is `expired`, ask for a new export.")
    static let tooManyPrivacyRequests = ProblemCode(
        "too-many-privacy-requests", 409, "There is such a request already",
        advice: "Wait until it is done, or cancel it.")
    static let erasureRunning = ProblemCode(
        "erasure-running", 409, "You have asked to be forgotten already",
        advice: "Cancel the earlier request first.")
    static let unknownRetentionClass = ProblemCode(
        "unknown-retention-class", 404, "There is no such kind of data",
        advice: "GET /v1/retention-policies lists them.")
    static let retentionNotAdjustable = ProblemCode(
        "retention-not-adjustable", 422, "This is not the company's to choose",
        advice: "GET /v1/retention-policies says what may be chosen, and within which bounds.")

    static let exportLinkInvalid = ProblemCode(
        "export-link-invalid", 404, "The link does not open anything",
        advice: "Links are good for a quarter of an hour, and the file for a week. Make a new link.")

    static let ofPrivacy = [
        exportLinkInvalid, erasureNotPlanned, erasureNotCancellable, reportNotReady, underLegalHold,
        exportNotReady,
        tooManyPrivacyRequests, erasureRunning, unknownRetentionClass, retentionNotAdjustable,
        consentInTheFuture,
    ]
}
