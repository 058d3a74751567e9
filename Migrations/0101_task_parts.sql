-- What hangs on a task: how it stands to others, its checklist, its links and its files.

CREATE TABLE task_relations (
    company_id uuid        NOT NULL,
    id         uuid        NOT NULL,
    kind       text        NOT NULL,
    from_id    uuid        NOT NULL,
    to_id      uuid        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT task_relations_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT task_relations_once UNIQUE (company_id, from_id, to_id, kind),
    CONSTRAINT task_relations_from_fkey FOREIGN KEY (company_id, from_id) REFERENCES tasks (company_id, id) ON DELETE CASCADE,
    CONSTRAINT task_relations_to_fkey FOREIGN KEY (company_id, to_id) REFERENCES tasks (company_id, id) ON DELETE CASCADE,
    CONSTRAINT task_relations_two_tasks CHECK (from_id <> to_id),
    CONSTRAINT task_relations_kind_known
        CHECK (kind IN ('blocks', 'relates', 'duplicates', 'starts_before', 'finishes_before', 'implements'))
);
CREATE INDEX task_relations_to ON task_relations (company_id, to_id, kind);

CREATE TABLE task_checklist_items (
    company_id uuid        NOT NULL,
    id         uuid        NOT NULL,
    task_id    uuid        NOT NULL,
    text       text        NOT NULL,
    rank       text COLLATE "C" NOT NULL,
    is_done    boolean     NOT NULL DEFAULT false,
    done_at    timestamptz,
    version    integer     NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT task_checklist_items_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT task_checklist_items_rank_key UNIQUE (company_id, task_id, rank),
    CONSTRAINT task_checklist_items_task_fkey FOREIGN KEY (company_id, task_id)
        REFERENCES tasks (company_id, id) ON DELETE CASCADE,
    CONSTRAINT task_checklist_items_done_has_time CHECK (is_done = (done_at IS NOT NULL))
);

CREATE TABLE task_links (
    company_id   uuid        NOT NULL,
    id           uuid        NOT NULL,
    task_id      uuid        NOT NULL,
    url          text,
    -- A thing of the company's own, as `campaign`; what it is called there is not kept.
    object_type  text,
    object_id    uuid,
    title        text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT task_links_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT task_links_task_fkey FOREIGN KEY (company_id, task_id) REFERENCES tasks (company_id, id) ON DELETE CASCADE,
    CONSTRAINT task_links_lead_somewhere CHECK ((url IS NULL) <> (object_type IS NULL)
        AND (object_type IS NULL) = (object_id IS NULL)),
    CONSTRAINT task_links_url_once UNIQUE (company_id, task_id, url),
    CONSTRAINT task_links_object_once UNIQUE (company_id, task_id, object_type, object_id)
);
CREATE INDEX task_links_to_object ON task_links (company_id, object_type, object_id) WHERE object_id IS NOT NULL;

CREATE TABLE task_attachments (
    company_id  uuid        NOT NULL,
    -- The attachment's own; the file is used under it, so that one can be taken off and the others stay.
    id          uuid        NOT NULL,
    task_id     uuid        NOT NULL,
    file_id     uuid        NOT NULL,
    attached_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT task_attachments_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT task_attachments_once UNIQUE (company_id, task_id, file_id),
    CONSTRAINT task_attachments_task_fkey FOREIGN KEY (company_id, task_id) REFERENCES tasks (company_id, id) ON DELETE CASCADE
);

-- What happens when a state already holds as many tasks as it should: the caller is told, or it is refused.
ALTER TABLE projects
    ADD COLUMN wip_policy text NOT NULL DEFAULT 'warn',
    ADD CONSTRAINT projects_wip_policy_known CHECK (wip_policy IN ('warn', 'refuse'));

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['task_relations', 'task_checklist_items', 'task_links', 'task_attachments'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format($policy$CREATE POLICY tenant ON %I
            USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
            WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid)$policy$, name);
    END LOOP;
END $$;
