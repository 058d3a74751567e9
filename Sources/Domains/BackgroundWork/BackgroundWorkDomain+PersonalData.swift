import Core

extension BackgroundWorkDomain {
    public static let personalData: [PersonalData] = [
        .none("jobs", "what is to be done in the background, by the ids of what it is about"),
        .none("jobs_done", "what was done in the background, by the ids of what it was about"),
        .none("jobs_dead", "what could not be done in the background, by the ids of what it is about"),
        .none("job_queues", "which queues are paused, and how much they do at once"),
        .none("crons", "when each schedule is due next"),
        .none("cron_runs", "when each schedule came due"),
        PersonalData(
            "outbox", "What happened lately by one's doing, or to one's address", of: .user("actor_id"),
            .rows { subject in subject.email.map { "strpos(lower(t.data::text), \($0)) > 0" } },
            erase: .blank(
                "actor_id = NULL, data = CASE WHEN strpos(data::text, '@') > 0 THEN '{}' ELSE data END")),
        .none("reactions", "how far each part of the program has been told what happened"),
        .none("reactions_due", "which part of the program has still to be told of what"),
    ]

    public static let retention = [
        RetentionClass(
            "events", "Events handed on", table: "outbox", since: "at", days: EventLimits.daysKept,
            isSweptElsewhere: true),
        RetentionClass(
            "jobs", "Jobs that are done", table: "jobs_done", since: "finished_at", days: JobLimits.daysKept,
            isSweptElsewhere: true),
        RetentionClass(
            "dead_jobs", "Jobs that failed for good", table: "jobs_dead", since: "finished_at",
            days: JobLimits.deadDaysKept, isSweptElsewhere: true),
    ]
}
