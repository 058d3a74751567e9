-- Time that was worked, the sheets it is approved by, and what a project may and does cost.

CREATE TABLE timesheets (
    company_id     uuid        NOT NULL,
    id             uuid        NOT NULL,
    member_id      uuid        NOT NULL,
    -- A Monday.
    week_starts_on date        NOT NULL,
    status         text        NOT NULL DEFAULT 'open',
    submitted_at   timestamptz,
    decided_at     timestamptz,
    decided_by     uuid,
    note           text,
    version        integer     NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT timesheets_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT timesheets_week_key UNIQUE (company_id, member_id, week_starts_on),
    CONSTRAINT timesheets_member_fkey FOREIGN KEY (company_id, member_id) REFERENCES memberships (company_id, id),
    CONSTRAINT timesheets_decided_by_fkey FOREIGN KEY (company_id, decided_by) REFERENCES memberships (company_id, id),
    CONSTRAINT timesheets_status_known CHECK (status IN ('open', 'submitted', 'approved', 'rejected')),
    CONSTRAINT timesheets_week_begins_on_monday CHECK (extract(isodow FROM week_starts_on) = 1)
);

CREATE TABLE time_entries (
    company_id  uuid        NOT NULL,
    id          uuid        NOT NULL,
    project_id  uuid        NOT NULL,
    -- No reference: the time stays with the project when the task is gone or has moved on.
    task_id     uuid,
    member_id   uuid        NOT NULL,
    started_at  timestamptz NOT NULL,
    -- The day of started_at in the project's time zone.
    worked_on   date        NOT NULL,
    -- NULL while the timer runs.
    minutes     integer,
    is_billable boolean     NOT NULL,
    -- For an hour, as it was when the time was worked.
    rate_minor  bigint,
    currency    text,
    note        text,
    version     integer     NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT time_entries_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT time_entries_project_fkey FOREIGN KEY (company_id, project_id)
        REFERENCES projects (company_id, id) ON DELETE CASCADE,
    CONSTRAINT time_entries_member_fkey FOREIGN KEY (company_id, member_id) REFERENCES memberships (company_id, id),
    CONSTRAINT time_entries_within_a_day CHECK (minutes BETWEEN 1 AND 1440),
    CONSTRAINT time_entries_rate_not_negative CHECK (rate_minor >= 0),
    CONSTRAINT time_entries_rate_has_currency CHECK ((rate_minor IS NULL) = (currency IS NULL))
);

-- Two clocks at once would count one hour twice.
CREATE UNIQUE INDEX time_entries_one_running ON time_entries (company_id, member_id) WHERE minutes IS NULL;
CREATE INDEX time_entries_newest ON time_entries (company_id, started_at, id);
CREATE INDEX time_entries_by_member ON time_entries (company_id, member_id, worked_on);
CREATE INDEX time_entries_by_task ON time_entries (company_id, task_id) WHERE task_id IS NOT NULL;
CREATE INDEX time_entries_by_project ON time_entries (company_id, project_id, started_at) INCLUDE (minutes, rate_minor);

CREATE TABLE project_budgets (
    company_id      uuid        NOT NULL,
    project_id      uuid        NOT NULL,
    currency        text        NOT NULL,
    amount_minor    bigint,
    amount_minutes  integer,
    -- For an hour of anybody who has no rate of his own.
    rate_minor      bigint,
    -- The highest threshold that people were told of.
    alerted_percent smallint    NOT NULL DEFAULT 0,
    version         integer     NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT project_budgets_pkey PRIMARY KEY (company_id, project_id),
    CONSTRAINT project_budgets_project_fkey FOREIGN KEY (company_id, project_id)
        REFERENCES projects (company_id, id) ON DELETE CASCADE,
    CONSTRAINT project_budgets_not_negative CHECK (amount_minor >= 0 AND amount_minutes >= 0 AND rate_minor >= 0)
);

CREATE TABLE project_rates (
    company_id uuid   NOT NULL,
    project_id uuid   NOT NULL,
    member_id  uuid   NOT NULL,
    rate_minor bigint NOT NULL,
    CONSTRAINT project_rates_pkey PRIMARY KEY (company_id, project_id, member_id),
    CONSTRAINT project_rates_budget_fkey FOREIGN KEY (company_id, project_id)
        REFERENCES project_budgets (company_id, project_id) ON DELETE CASCADE,
    CONSTRAINT project_rates_member_fkey FOREIGN KEY (company_id, member_id) REFERENCES memberships (company_id, id),
    CONSTRAINT project_rates_not_negative CHECK (rate_minor >= 0)
);

CREATE TABLE project_costs (
    company_id   uuid        NOT NULL,
    id           uuid        NOT NULL,
    project_id   uuid        NOT NULL,
    name         text        NOT NULL,
    amount_minor bigint      NOT NULL,
    spent_on     date        NOT NULL,
    note         text,
    created_by   uuid,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT project_costs_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT project_costs_budget_fkey FOREIGN KEY (company_id, project_id)
        REFERENCES project_budgets (company_id, project_id) ON DELETE CASCADE,
    CONSTRAINT project_costs_not_negative CHECK (amount_minor >= 0)
);

CREATE INDEX project_costs_by_project ON project_costs (company_id, project_id, spent_on);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['timesheets', 'time_entries', 'project_budgets', 'project_rates', 'project_costs'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format($policy$CREATE POLICY tenant ON %I
            USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
            WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid)$policy$, name);
    END LOOP;
END $$;
