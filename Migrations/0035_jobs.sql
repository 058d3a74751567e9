-- Work to be done in the background, enqueued in the transaction of the business. Queues of the whole installation:
-- the company is a column for fairness and display, never a boundary, because a worker serves all companies.
--
-- The hot table holds what is unfinished and nothing else: it stays small, so every claim is short.
CREATE TABLE jobs (
    id               uuid        NOT NULL,
    queue            text        NOT NULL,
    kind             text        NOT NULL,
    company_id       uuid,
    -- Whose share of the workers it takes: the company's, or the installation's own.
    share            uuid        NOT NULL GENERATED ALWAYS AS
                         (coalesce(company_id, '00000000-0000-0000-0000-000000000000'::uuid)) STORED,
    priority         smallint    NOT NULL,
    -- When it may next be claimed: for a waiting job its time to run, for a running one the end of its lease. So the
    -- claim that looks for work is the one that takes over from the dead.
    due_at           timestamptz NOT NULL DEFAULT now(),
    -- The worker that runs it.
    holder           uuid,
    held_since       timestamptz,
    -- The fence: rises with every claim. Whoever holds an older number changes nothing.
    claim            integer     NOT NULL DEFAULT 0,
    attempt          integer     NOT NULL DEFAULT 0,
    attempts_max     integer     NOT NULL,
    lease_seconds    integer     NOT NULL,
    -- How many of its kind one company may have running.
    company_max      integer,
    unique_key       text,
    arguments        jsonb       NOT NULL,
    checkpoint       jsonb,
    progress         smallint,
    progress_message text,
    is_cancelled     boolean     NOT NULL DEFAULT false,
    -- One entry for each attempt that failed, the oldest first.
    errors           jsonb       NOT NULL DEFAULT '[]',
    created_at       timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT jobs_pkey PRIMARY KEY (id),
    CONSTRAINT jobs_priority_in_range CHECK (priority BETWEEN 0 AND 9),
    CONSTRAINT jobs_attempts_in_range CHECK (attempt >= 0 AND attempts_max > 0),
    CONSTRAINT jobs_lease_positive CHECK (lease_seconds > 0),
    CONSTRAINT jobs_progress_in_range CHECK (progress BETWEEN 0 AND 100),
    CONSTRAINT jobs_held_has_a_time CHECK ((holder IS NULL) = (held_since IS NULL))
) WITH (
    -- A queue's statistics are wrong as soon as they are taken, and what is gone must not be walked over again.
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000,
    autovacuum_vacuum_cost_delay = 0, fillfactor = 70
);

-- The order of claims.
CREATE INDEX jobs_in_order ON jobs (queue, priority, due_at, id);
-- The order within one company's share, to find those whom another's backlog hides.
CREATE INDEX jobs_by_share ON jobs (queue, kind, share, priority, due_at) WHERE holder IS NULL;
-- How many of a limited kind a company has running.
CREATE INDEX jobs_limited_running ON jobs (kind, share) WHERE holder IS NOT NULL AND company_max IS NOT NULL;
-- Uniqueness reaches over what is unfinished, never over what is done.
CREATE UNIQUE INDEX jobs_unique_key ON jobs (kind, share, unique_key) WHERE unique_key IS NOT NULL;
CREATE INDEX jobs_by_company ON jobs (company_id, id) WHERE company_id IS NOT NULL;

COMMENT ON TABLE jobs IS 'infinity:local: the workers serve all companies';

-- What is done or cancelled, by the day; a day goes as a whole.
CREATE TABLE jobs_done (
    id               uuid        NOT NULL,
    queue            text        NOT NULL,
    kind             text        NOT NULL,
    company_id       uuid,
    priority         smallint    NOT NULL,
    state            text        NOT NULL,
    attempt          integer     NOT NULL,
    attempts_max     integer     NOT NULL,
    arguments        jsonb       NOT NULL,
    result           jsonb,
    progress_message text,
    errors           jsonb       NOT NULL,
    holder           uuid,
    created_at       timestamptz NOT NULL,
    started_at       timestamptz,
    finished_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT jobs_done_pkey PRIMARY KEY (id, finished_at),
    CONSTRAINT jobs_done_state_known CHECK (state IN ('done', 'cancelled'))
) PARTITION BY RANGE (finished_at);

CREATE INDEX jobs_done_by_company ON jobs_done (company_id, id);

COMMENT ON TABLE jobs_done IS 'infinity:local: the workers serve all companies';

-- What failed for good, until somebody retries it or nobody did.
CREATE TABLE jobs_dead (
    id               uuid        NOT NULL,
    queue            text        NOT NULL,
    kind             text        NOT NULL,
    company_id       uuid,
    priority         smallint    NOT NULL,
    attempt          integer     NOT NULL,
    attempts_max     integer     NOT NULL,
    lease_seconds    integer     NOT NULL,
    company_max      integer,
    unique_key       text,
    arguments        jsonb       NOT NULL,
    checkpoint       jsonb,
    progress         smallint,
    progress_message text,
    errors           jsonb       NOT NULL,
    holder           uuid,
    created_at       timestamptz NOT NULL,
    started_at       timestamptz,
    finished_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT jobs_dead_pkey PRIMARY KEY (id)
);

CREATE INDEX jobs_dead_by_company ON jobs_dead (company_id, id);
CREATE INDEX jobs_dead_by_time ON jobs_dead (finished_at);

COMMENT ON TABLE jobs_dead IS 'infinity:local: the workers serve all companies';

-- What the operators said about a queue; one nobody spoke of has no row.
CREATE TABLE job_queues (
    name        text        NOT NULL,
    is_paused   boolean     NOT NULL DEFAULT false,
    concurrency integer,
    version     integer     NOT NULL DEFAULT 1,
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT job_queues_pkey PRIMARY KEY (name),
    CONSTRAINT job_queues_concurrency_in_range CHECK (concurrency BETWEEN 1 AND 1000)
);

-- The serving role owns no table and may make none: this is all it may do about the days.
CREATE FUNCTION keep_days_of_jobs_done(ahead integer, kept integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    day     date;
    name    text;
    changed integer := 0;
BEGIN
    IF ahead NOT BETWEEN 1 AND 30 OR kept NOT BETWEEN 1 AND 3650 THEN
        RAISE EXCEPTION 'days out of range' USING ERRCODE = '22023';
    END IF;
    FOR day IN SELECT current_date + n FROM generate_series(0, ahead) n LOOP
        name := 'jobs_done_' || to_char(day, 'YYYYMMDD');
        IF to_regclass(name) IS NULL THEN
            EXECUTE format('CREATE TABLE %I PARTITION OF jobs_done FOR VALUES FROM (%L) TO (%L)', name, day, day + 1);
            EXECUTE format('COMMENT ON TABLE %I IS %L', name, 'infinity:local: the workers serve all companies');
            changed := changed + 1;
        END IF;
    END LOOP;
    FOR name IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'jobs_done'::regclass AND c.relname ~ '^jobs_done_[0-9]{8}$'
           AND to_date(right(c.relname, 8), 'YYYYMMDD') < current_date - kept
    LOOP
        EXECUTE format('DROP TABLE %I', name);
        changed := changed + 1;
    END LOOP;
    RETURN changed;
END
$$;

COMMENT ON FUNCTION keep_days_of_jobs_done IS 'infinity:definer: makes and drops the days of jobs_done and reads no row';

-- Where a job ends that finishes on a day nobody made; it is looked for and reported.
CREATE TABLE jobs_done_stray PARTITION OF jobs_done DEFAULT;
COMMENT ON TABLE jobs_done_stray IS 'infinity:local: the workers serve all companies';

SELECT keep_days_of_jobs_done(7, 3650);
