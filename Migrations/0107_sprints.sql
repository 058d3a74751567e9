-- What a project says of its sprints, what people have time for in them, and what was found at their end.

CREATE TABLE sprint_settings (
    company_id      uuid        NOT NULL,
    project_id      uuid        NOT NULL,
    allows_parallel boolean     NOT NULL DEFAULT false,
    -- ISO weekdays, Monday is 1.
    working_days    integer[]   NOT NULL DEFAULT '{1,2,3,4,5}',
    version         integer     NOT NULL DEFAULT 1,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT sprint_settings_pkey PRIMARY KEY (company_id, project_id),
    CONSTRAINT sprint_settings_project_fkey FOREIGN KEY (company_id, project_id)
        REFERENCES projects (company_id, id) ON DELETE CASCADE,
    CONSTRAINT sprint_settings_days_known
        CHECK (working_days <@ '{1,2,3,4,5,6,7}' AND cardinality(working_days) BETWEEN 1 AND 7)
);

-- Set when it starts, from the setting of its project.
ALTER TABLE sprints ADD COLUMN is_parallel boolean NOT NULL DEFAULT false;

-- One at a time, also when two are started at the same moment.
CREATE UNIQUE INDEX sprints_active_key ON sprints (company_id, project_id) WHERE status = 'active' AND NOT is_parallel;

CREATE TABLE sprint_capacities (
    company_id      uuid    NOT NULL,
    sprint_id       uuid    NOT NULL,
    member_id       uuid    NOT NULL,
    minutes_per_day integer NOT NULL,
    days_off        date[]  NOT NULL DEFAULT '{}',
    CONSTRAINT sprint_capacities_pkey PRIMARY KEY (company_id, sprint_id, member_id),
    CONSTRAINT sprint_capacities_sprint_fkey FOREIGN KEY (company_id, sprint_id)
        REFERENCES sprints (company_id, id) ON DELETE CASCADE,
    CONSTRAINT sprint_capacities_member_fkey FOREIGN KEY (company_id, member_id)
        REFERENCES memberships (company_id, id) ON DELETE CASCADE,
    CONSTRAINT sprint_capacities_minutes_of_a_day CHECK (minutes_per_day BETWEEN 0 AND 1440)
);

CREATE INDEX sprint_capacities_by_member ON sprint_capacities (company_id, member_id);

-- What a sprint came to when it was closed. Written once; a sprint that is reopened and closed again has a second one.
CREATE TABLE sprint_reports (
    company_id        uuid        NOT NULL,
    id                uuid        NOT NULL,
    sprint_id         uuid        NOT NULL,
    closing           integer     NOT NULL,
    frozen_at         timestamptz NOT NULL,
    committed_count   integer     NOT NULL,
    committed_points  numeric(9, 2) NOT NULL,
    committed_minutes integer     NOT NULL,
    done_count        integer     NOT NULL,
    done_points       numeric(9, 2) NOT NULL,
    done_minutes      integer     NOT NULL,
    report            jsonb       NOT NULL,
    CONSTRAINT sprint_reports_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT sprint_reports_sprint_fkey FOREIGN KEY (company_id, sprint_id)
        REFERENCES sprints (company_id, id) ON DELETE CASCADE,
    CONSTRAINT sprint_reports_closing_key UNIQUE (company_id, sprint_id, closing),
    CONSTRAINT sprint_reports_closing_positive CHECK (closing > 0)
);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['sprint_settings', 'sprint_capacities', 'sprint_reports'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format($policy$CREATE POLICY tenant ON %I
            USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
            WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid)$policy$, name);
    END LOOP;
    REVOKE UPDATE, DELETE, TRUNCATE ON sprint_reports FROM infinity_app;
END $$;
