-- When something is next due in the tasks of a company: a reminder, a recurring task, the end of a deleted one's time.
-- A company is listed with the first of its tasks that has a day.

CREATE TABLE task_upkeep (
    company_id uuid        NOT NULL,
    due_at     timestamptz NOT NULL,
    CONSTRAINT task_upkeep_pkey PRIMARY KEY (company_id)
);
CREATE INDEX task_upkeep_due ON task_upkeep (due_at);

COMMENT ON TABLE task_upkeep IS 'infinity:local: the worker finds the companies in which something is due';

-- Tasks that come again. A rule counts days and times on the clock of its zone.
CREATE TABLE recurring_tasks (
    company_id      uuid        NOT NULL,
    id              uuid        NOT NULL,
    project_id      uuid        NOT NULL,
    title           text        NOT NULL,
    -- What each of its tasks is made of.
    template        jsonb       NOT NULL,
    frequency       text        NOT NULL,
    every           integer     NOT NULL DEFAULT 1,
    -- Of a week: 1 for Monday to 7; of a month: its day, -1 for the last.
    weekdays        smallint[],
    day_of_month    smallint,
    at              time        NOT NULL,
    time_zone       text        NOT NULL,
    starts_on       date        NOT NULL,
    ends_on         date,
    occurrences_max integer,
    occurrences     integer     NOT NULL DEFAULT 0,
    -- The day on the clock of its zone, and the moment that is; none when it has come to its end.
    next_on         date,
    next_at         timestamptz,
    paused_at       timestamptz,
    -- Why the last one could not be made.
    last_error      text,
    created_by      uuid,
    version         integer     NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT recurring_tasks_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT recurring_tasks_project_fkey FOREIGN KEY (company_id, project_id)
        REFERENCES projects (company_id, id) ON DELETE CASCADE,
    CONSTRAINT recurring_tasks_frequency_known CHECK (frequency IN ('daily', 'weekly', 'monthly')),
    CONSTRAINT recurring_tasks_every_positive CHECK (every > 0),
    CONSTRAINT recurring_tasks_day_of_month CHECK (day_of_month BETWEEN 1 AND 31 OR day_of_month = -1),
    CONSTRAINT recurring_tasks_next_moment CHECK ((next_on IS NULL) = (next_at IS NULL)),
    CONSTRAINT recurring_tasks_dates_in_order CHECK (starts_on <= ends_on)
);
CREATE INDEX recurring_tasks_due ON recurring_tasks (company_id, next_at) WHERE paused_at IS NULL AND next_at IS NOT NULL;
CREATE INDEX recurring_tasks_by_project ON recurring_tasks (company_id, project_id, id);

-- Each day of a rule is met once, whoever comes first: by a task, or by being skipped.
CREATE TABLE task_occurrences (
    company_id      uuid        NOT NULL,
    recurrence_id   uuid        NOT NULL,
    occurrence_date date        NOT NULL,
    -- None when it was skipped; the task may be gone since.
    task_id         uuid,
    at              timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT task_occurrences_pkey PRIMARY KEY (company_id, recurrence_id, occurrence_date),
    CONSTRAINT task_occurrences_recurrence_fkey FOREIGN KEY (company_id, recurrence_id)
        REFERENCES recurring_tasks (company_id, id) ON DELETE CASCADE
);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['recurring_tasks', 'task_occurrences'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format($policy$CREATE POLICY tenant ON %I
            USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
            WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid)$policy$, name);
    END LOOP;
END $$;
