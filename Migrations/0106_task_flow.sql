-- The history the reports are computed from. It is only ever added to: no later edit changes what a chart says of a day
-- that is over.

-- One row per change of what the reports look at, with what was before and what is since.
CREATE TABLE task_flow (
    company_id       uuid        NOT NULL,
    id               uuid        NOT NULL,
    -- By the clock and not by the start of the transaction: the changes of a task stand in the order they were made in.
    at               timestamptz NOT NULL,
    project_id       uuid        NOT NULL,
    task_id          uuid        NOT NULL,
    -- NULL: the task was not in the project before, or is in it no longer (deleted, moved away).
    category_before  text,
    category         text,
    state_id         uuid,
    sprint_id        uuid,
    points           numeric(6, 2),
    estimate_minutes integer,
    -- When the task was first seen and when work on it first began, carried along from row to row.
    entered_at       timestamptz NOT NULL,
    started_at       timestamptz,
    actor_kind       text        NOT NULL,
    actor_id         uuid,
    CONSTRAINT task_flow_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT task_flow_project_fkey FOREIGN KEY (company_id, project_id)
        REFERENCES projects (company_id, id) ON DELETE CASCADE,
    CONSTRAINT task_flow_category_known
        CHECK (category IN ('backlog', 'unstarted', 'started', 'completed', 'cancelled')),
    CONSTRAINT task_flow_category_before_known
        CHECK (category_before IN ('backlog', 'unstarted', 'started', 'completed', 'cancelled')),
    CONSTRAINT task_flow_is_somewhere CHECK (category IS NOT NULL OR category_before IS NOT NULL),
    CONSTRAINT task_flow_gone_has_no_state CHECK ((category IS NULL) = (state_id IS NULL)),
    CONSTRAINT task_flow_actor_kind_known CHECK (actor_kind IN ('user', 'api_key', 'system'))
);

-- All that cumulative flow, cycle time and throughput read, so that they need not visit the table.
CREATE INDEX task_flow_moves ON task_flow (company_id, project_id, at)
    INCLUDE (id, task_id, category_before, category, entered_at, started_at)
    WHERE category IS DISTINCT FROM category_before;
CREATE INDEX task_flow_by_task ON task_flow (company_id, task_id, at);

-- One row per change of what a sprint holds. The scope of a sprint at a moment is the sum of after minus before up to it;
-- what is done, the same sum over what is marked done.
CREATE TABLE sprint_events (
    company_id     uuid        NOT NULL,
    id             uuid        NOT NULL,
    at             timestamptz NOT NULL,
    sprint_id      uuid        NOT NULL,
    task_id        uuid        NOT NULL,
    kind           text        NOT NULL,
    -- What the task counted in the scope: nothing before it is added, after it is removed and while it is cancelled.
    count_before   smallint    NOT NULL,
    count_after    smallint    NOT NULL,
    points_before  numeric(6, 2) NOT NULL,
    points_after   numeric(6, 2) NOT NULL,
    minutes_before integer     NOT NULL,
    minutes_after  integer     NOT NULL,
    done_before    boolean     NOT NULL,
    done_after     boolean     NOT NULL,
    actor_kind     text        NOT NULL,
    actor_id       uuid,
    CONSTRAINT sprint_events_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT sprint_events_sprint_fkey FOREIGN KEY (company_id, sprint_id)
        REFERENCES sprints (company_id, id) ON DELETE CASCADE,
    CONSTRAINT sprint_events_kind_known
        CHECK (kind IN ('added', 'removed', 'estimate', 'completed', 'reopened', 'cancelled')),
    CONSTRAINT sprint_events_count_is_one CHECK (count_before IN (0, 1) AND count_after IN (0, 1)),
    CONSTRAINT sprint_events_nothing_counts_nothing CHECK (
        (count_before = 1 OR (points_before = 0 AND minutes_before = 0 AND NOT done_before))
        AND (count_after = 1 OR (points_after = 0 AND minutes_after = 0 AND NOT done_after))),
    CONSTRAINT sprint_events_actor_kind_known CHECK (actor_kind IN ('user', 'api_key', 'system'))
);

CREATE INDEX sprint_events_by_sprint ON sprint_events (company_id, sprint_id, at, id);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['task_flow', 'sprint_events'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format($policy$CREATE POLICY tenant ON %I
            USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
            WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid)$policy$, name);
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM infinity_app', name);
    END LOOP;
END $$;
