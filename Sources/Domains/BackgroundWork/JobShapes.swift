import API
import Core
import Postgres
import Wire

enum JobState: String, Codable, CaseIterable, SQLBindable, SQLBindableElement, RowValue, Sendable {
    case scheduled, waiting, running, done, cancelled, dead
}

/// A failed attempt as the company sees it.
struct JobFault: Codable, Sendable {
    let attempt: Int
    let at: Timestamp
    let error: String
}

/// A job as its company sees it.
struct CompanyJob: Codable, Sendable, FieldNotes {
    let id: UUID
    let kind: String
    let queue: String
    let state: JobState
    let priority: Int
    let attempt: Int
    let attemptsMax: Int
    let dueAt: Timestamp?
    let progress: Int?
    let progressMessage: String?
    let result: JSON?
    let errors: [JobFault]
    let createdAt: Timestamp
    let startedAt: Timestamp?
    let finishedAt: Timestamp?

    static let fieldNotes = notes
    static let notes = [
        "state": """
        scheduled: waits for its time; waiting: for a worker; running; done; cancelled; dead: failed for good, can be \
        retried.
        """,
        "priority": "0 goes first, 9 last.",
        "attempt": "The attempt that runs or was the last; a retry begins anew.",
        "due_at":
            "When it may next run; for a running job, when another worker takes over unless its own goes on.",
        "progress": "Percent, for jobs that tell.",
        "result": "What it came to, for jobs that say.",
        "errors": "The failed attempts, the oldest first.",
    ]
}

/// A failed attempt with what is for the operators alone.
struct SystemJobFault: Codable, Sendable {
    let attempt: Int
    let at: Timestamp
    let worker: UUID?
    let error: String
    let detail: String?
}

/// A job as the operators see it.
struct SystemJob: Codable, Sendable, FieldNotes {
    let id: UUID
    let kind: String
    let queue: String
    let companyId: UUID?
    let state: JobState
    let priority: Int
    let attempt: Int
    let attemptsMax: Int
    let dueAt: Timestamp?
    let holder: UUID?
    let progress: Int?
    let progressMessage: String?
    let result: JSON?
    let arguments: JSON
    let errors: [SystemJobFault]
    let createdAt: Timestamp
    let startedAt: Timestamp?
    let finishedAt: Timestamp?

    static let fieldNotes = CompanyJob.notes.merging(
        [
            "company_id": "None for the installation's own.",
            "holder": "The worker that runs it, or ran it last.",
        ]) { _, new in new }
}

struct JobFilter: ListFilter {
    let state: [JobState]?
    let queue: [Text<60>]?
    let kind: [Text<80>]?
    let createdAt: Bounds<Timestamp>?

    // By id is by time of making.
    static let sorts = ["-id"]
}

struct SystemJobFilter: ListFilter {
    let state: [JobState]?
    let queue: [Text<60>]?
    let kind: [Text<80>]?
    let companyId: UUID?
    let createdAt: Bounds<Timestamp>?

    static let sorts = ["-id"]
}

/// Which jobs an order is about.
struct JobChoice: Codable, Sendable, FieldNotes {
    let ids: UpTo<100, UUID>?
    let kind: Text<80>?
    let queue: Text<60>?

    static let fieldNotes = [
        "ids": "These alone. All that is named must hold; nothing named means every job."
    ]
}

struct SystemJobChoice: Codable, Sendable, FieldNotes {
    let ids: UpTo<100, UUID>?
    let kind: Text<80>?
    let queue: Text<60>?
    let companyId: UUID?

    static let fieldNotes = [
        "ids": "These alone. All that is named must hold; nothing named means every job."
    ]
}

struct JobsChanged: Codable, Sendable, FieldNotes {
    let changed: Int
    let hasMore: Bool

    static let fieldNotes = ["has_more": "As many were changed as can be at once: ask again for the rest."]
}

/// All jobs as one table, whatever became of them.
enum JobRows {
    static let all: SQL = """
        (SELECT id, queue, kind, company_id,
                CASE WHEN holder IS NOT NULL THEN 'running' WHEN due_at > now() THEN 'scheduled' ELSE 'waiting' END AS state,
                priority, attempt, attempts_max, due_at, holder, progress, progress_message, NULL::jsonb AS result,
                arguments, errors, created_at, held_since AS started_at, NULL::timestamptz AS finished_at
           FROM jobs
         UNION ALL
         SELECT id, queue, kind, company_id, state, priority, attempt, attempts_max, NULL::timestamptz, holder,
                NULL::smallint, progress_message, result, arguments, errors, created_at, started_at, finished_at
           FROM jobs_done
         UNION ALL
         SELECT id, queue, kind, company_id, 'dead'::text, priority, attempt, attempts_max, NULL::timestamptz, holder,
                progress, progress_message, NULL::jsonb, arguments, errors, created_at, started_at, finished_at
           FROM jobs_dead) job
        """

    /// A company is told what is meant for it.
    static func ofCompany(_ company: UUID) -> SQL {
        """
        SELECT id, kind, queue, state, priority, attempt, attempts_max, due_at, progress, progress_message, result,
               (SELECT coalesce(jsonb_agg(fault - 'detail' - 'worker' ORDER BY place), '[]')
                  FROM jsonb_array_elements(errors) WITH ORDINALITY AS each (fault, place)) AS errors,
               created_at, started_at, finished_at
          FROM \(fragment: all)
         WHERE company_id = \(company)
        """
    }

    static let ofSystem: SQL = """
        SELECT id, kind, queue, company_id, state, priority, attempt, attempts_max, due_at, holder, progress,
               progress_message, result, arguments,
               (SELECT coalesce(jsonb_agg(
                           jsonb_build_object('worker', NULL, 'detail', NULL) || fault ORDER BY place), '[]')
                  FROM jsonb_array_elements(errors) WITH ORDINALITY AS each (fault, place)) AS errors,
               created_at, started_at, finished_at
          FROM \(fragment: all)
        """
}
