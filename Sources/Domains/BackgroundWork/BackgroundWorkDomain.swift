import API
import Core

/// The view on what goes on behind the requests: jobs, their queues and schedules, and the reactions to events.
///
/// Members see their own company's jobs; the operators of the installation see everything. The tables and the engine
/// are Core's; this domain adds nothing to them but a job to rehearse with.
public enum BackgroundWorkDomain: Domain {
    public static let name = "Jobs"
    public static let summary = "Jobs, queues, schedules and the events that domains hand each other."

    public static var routes: [Route] {
        CompanyJobs.routes + SystemJobs.routes + JobQueues.routes + Schedules.routes + EventReactions.routes
            + Rehearsals.routes
    }
    public static let permissions: [Permission] = [.jobsRead, .jobsWrite]
    public static let problems: [ProblemCode] = [.jobFinished, .jobNotRetryable]
    public static let jobs = [Rehearsals.handler]
    public static let crons = [Rehearsals.hourly]
}

extension Permission {
    public static let jobsRead = Permission(
        "jobs:read", "See what the company has going on in the background", [.owner, .admin, .manager])
    public static let jobsWrite = Permission(
        "jobs:write", "Cancel and retry what the company has going on in the background", [.owner, .admin])
}

extension ProblemCode {
    static let jobFinished = ProblemCode(
        "job-finished", 409, "The job has ended",
        advice: "Nothing is left to cancel; read the job to see how it ended.")
    static let jobNotRetryable = ProblemCode(
        "job-not-retryable", 409, "The job cannot be retried",
        advice:
            "Only a dead job, or one that waits for its time, can be; and no other job of its key may be unfinished."
    )
}
