-- Tables brought in from files, and what became of each of their rows.

CREATE TABLE imports (
    company_id    uuid        NOT NULL,
    id            uuid        NOT NULL,
    kind          text        NOT NULL,
    target        jsonb       NOT NULL,
    file_id       uuid        NOT NULL,
    file_name     text        NOT NULL,
    size_bytes    bigint      NOT NULL,
    -- The user in whose name it runs; NULL when the person asked to be forgotten.
    created_by    uuid,
    state         text        NOT NULL DEFAULT 'uploaded',
    delimiter     text        NOT NULL,
    encoding      text        NOT NULL,
    has_header    boolean     NOT NULL,
    headers       jsonb       NOT NULL,
    sample        jsonb       NOT NULL,
    -- Which column of the file is which of the kind's: [{"column": 0, "key": "title"}].
    mapping       jsonb       NOT NULL,
    -- How far the pass in hand has come. Moved in the transaction that writes the rows, so that none is written twice.
    rows_done     integer     NOT NULL DEFAULT 0,
    bytes_done    bigint      NOT NULL DEFAULT 0,
    created_count integer     NOT NULL DEFAULT 0,
    changed_count integer     NOT NULL DEFAULT 0,
    skipped_count integer     NOT NULL DEFAULT 0,
    failed_count  integer     NOT NULL DEFAULT 0,
    undone_count  integer     NOT NULL DEFAULT 0,
    error         text,
    job_id        uuid,
    -- The pass in hand; one that was stopped and has not noticed yet writes nothing any more.
    pass_id       uuid,
    started_at    timestamptz,
    finished_at   timestamptz,
    version       integer     NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT imports_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT imports_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT imports_state_known CHECK (state IN
        ('uploaded', 'checking', 'checked', 'running', 'done', 'failed', 'cancelled', 'undoing', 'undone'))
);

CREATE INDEX imports_newest ON imports (company_id, created_at DESC, id DESC);
CREATE INDEX imports_by_user ON imports (created_by) WHERE created_by IS NOT NULL;

CREATE TABLE import_rows (
    company_id     uuid    NOT NULL,
    import_id      uuid    NOT NULL,
    -- What a dry run found, as against what was done.
    is_dry         boolean NOT NULL,
    n              integer NOT NULL,
    state          text    NOT NULL,
    faults         jsonb,
    -- The cells of a row that could not be taken, for the report.
    cells          jsonb,
    entity_id      uuid,
    entity_version integer,
    -- What the thing was before, for the undo.
    before         jsonb,
    CONSTRAINT import_rows_pkey PRIMARY KEY (company_id, import_id, is_dry, n),
    CONSTRAINT import_rows_import_fkey FOREIGN KEY (company_id, import_id)
        REFERENCES imports (company_id, id) ON DELETE CASCADE,
    CONSTRAINT import_rows_state_known CHECK (state IN ('created', 'changed', 'skipped', 'failed', 'undone', 'kept'))
);

CREATE INDEX import_rows_by_state ON import_rows (company_id, import_id, is_dry, state, n);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['imports', 'import_rows'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format($policy$CREATE POLICY tenant ON %I
            USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
            WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid)$policy$, name);
    END LOOP;
END $$;
