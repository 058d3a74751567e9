-- What a task's life leaves behind: its history, the keys it had elsewhere, its place in the trash; and the ways in
-- which tasks are looked for.

-- Words are kept with the company's mark before each, so that a search reads the company's own part of the index alone,
-- also by the beginning of a word. The number is one of the words.
ALTER TABLE tasks
    ADD COLUMN search tsvector NOT NULL GENERATED ALWAYS AS (
        setweight(to_tsvector('simple', 'c' || right(company_id::text, 12)
            || regexp_replace(number::text || ' ' || title, '[[:space:][:punct:]]+', ' c' || right(company_id::text, 12), 'g')), 'A')
        || setweight(to_tsvector('simple', 'c' || right(company_id::text, 12)
            || regexp_replace(coalesce(description, ''), '[[:space:][:punct:]]+', ' c' || right(company_id::text, 12), 'g')), 'B')
    ) STORED,
    -- The task whose deletion took this one along; itself for the one that was deleted.
    ADD COLUMN deleted_with uuid,
    -- The last due moment of which people were told, so that they are told once.
    ADD COLUMN due_soon_told_at timestamptz,
    ADD COLUMN overdue_told_at timestamptz,
    ADD CONSTRAINT tasks_deleted_with_something CHECK ((deleted_at IS NULL) = (deleted_with IS NULL));

-- No list of pending entries: a search must not read through what others have just written.
CREATE INDEX tasks_search ON tasks USING gin (search) WITH (fastupdate = off) WHERE deleted_at IS NULL;
CREATE INDEX tasks_by_state ON tasks (company_id, project_id, state_id, rank) WHERE deleted_at IS NULL AND archived_at IS NULL;
CREATE INDEX tasks_by_creation ON tasks (company_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX tasks_by_change ON tasks (company_id, updated_at, id) WHERE deleted_at IS NULL;
CREATE INDEX tasks_by_due ON tasks (company_id, due_at, id)
    WHERE deleted_at IS NULL AND due_at IS NOT NULL AND category IN ('backlog', 'unstarted', 'started');
CREATE INDEX tasks_by_parent ON tasks (company_id, parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX tasks_by_sprint ON tasks (company_id, sprint_id, rank) WHERE sprint_id IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX tasks_by_reporter ON tasks (company_id, reporter_id) WHERE reporter_id IS NOT NULL;
CREATE INDEX tasks_in_trash ON tasks (company_id, deleted_at) WHERE deleted_at IS NOT NULL;

-- The keys a task had in projects it was moved out of: they go on leading to it.
CREATE TABLE task_keys (
    company_id uuid        NOT NULL,
    project_id uuid        NOT NULL,
    number     integer     NOT NULL,
    task_id    uuid        NOT NULL,
    left_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT task_keys_pkey PRIMARY KEY (company_id, project_id, number),
    CONSTRAINT task_keys_project_fkey FOREIGN KEY (company_id, project_id)
        REFERENCES projects (company_id, id) ON DELETE CASCADE,
    CONSTRAINT task_keys_task_fkey FOREIGN KEY (company_id, task_id) REFERENCES tasks (company_id, id) ON DELETE CASCADE
);
CREATE INDEX task_keys_by_task ON task_keys (company_id, task_id);

-- Every change of a field, never rewritten.
CREATE TABLE task_history (
    company_id uuid        NOT NULL,
    id         uuid        NOT NULL,
    task_id    uuid        NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    actor_kind text        NOT NULL,
    -- The membership of whoever did it; none for the program itself.
    member_id  uuid,
    field      text        NOT NULL,
    before     jsonb,
    after      jsonb,
    CONSTRAINT task_history_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT task_history_task_fkey FOREIGN KEY (company_id, task_id) REFERENCES tasks (company_id, id) ON DELETE CASCADE,
    CONSTRAINT task_history_actor_known CHECK (actor_kind IN ('user', 'api_key', 'system'))
);
CREATE INDEX task_history_by_task ON task_history (company_id, task_id, at, id);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['task_keys', 'task_history'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format($policy$CREATE POLICY tenant ON %I
            USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
            WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid)$policy$, name);
    END LOOP;
END $$;
