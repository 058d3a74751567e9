import API

extension ProblemCode {
    static let tooManyAuditExports = ProblemCode(
        "too-many-audit-exports", 409, "So many files of the record are being made already",
        advice: "Wait until one of them is done.")
    static let auditExportNotReady = ProblemCode(
        "audit-export-not-ready", 409, "The file is not there",
        advice: "Wait until the state is `done`; once it is `expired`, ask for a new one.")
    static let tooManyAuditViewers = ProblemCode(
        "too-many-audit-viewers", 409, "The company has as many links to its record as it may",
        advice: "Delete those that are not needed any more.")
    static let auditViewInvalid = ProblemCode(
        "audit-view-invalid", 404, "The link does not open anything",
        advice: "It has expired or was revoked. Ask whoever gave it to you for a new one.")
    static let tooManyAuditStreams = ProblemCode(
        "too-many-audit-streams", 409, "The company has as many audit streams as it may",
        advice: "Delete one that is not needed any more.")
    static let auditStreamURLNotAllowed = ProblemCode(
        "audit-stream-url-not-allowed", 422, "Nothing is sent to this address",
        advice: "Give an https address of the open Internet. The operator may allow further ranges.")

    static let ofAudit = [
        tooManyAuditExports, auditExportNotReady, tooManyAuditViewers, auditViewInvalid, tooManyAuditStreams,
        auditStreamURLNotAllowed,
    ]
}
