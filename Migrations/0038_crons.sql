-- Jobs that the clock enqueues. The times stand in the program; here stands when each is due next, so that one instance
-- alone moves it on, and whether the operators have paused it.
CREATE TABLE crons (
    name       text        NOT NULL,
    expression text        NOT NULL,
    time_zone  text        NOT NULL,
    kind       text        NOT NULL,
    is_paused  boolean     NOT NULL DEFAULT false,
    -- Never when no day fits.
    next_at    timestamptz,
    last_at    timestamptz,
    -- When an instance last knew of it: what a release took out is no longer seen.
    seen_at    timestamptz NOT NULL DEFAULT now(),
    version    integer     NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT crons_pkey PRIMARY KEY (name)
);

-- Each time a schedule came due, once. No job where the last one was still unfinished.
CREATE TABLE cron_runs (
    name       text        NOT NULL,
    planned_at timestamptz NOT NULL,
    job_id     uuid,
    at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT cron_runs_pkey PRIMARY KEY (name, planned_at)
);

CREATE INDEX cron_runs_by_time ON cron_runs (at);
