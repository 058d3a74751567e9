-- Tables taken out, made in the background and kept as files for a while.

CREATE TABLE exports (
    company_id  uuid        NOT NULL,
    id          uuid        NOT NULL,
    kind        text        NOT NULL,
    filter      jsonb       NOT NULL,
    sort        text,
    columns     text[]      NOT NULL,
    format      text        NOT NULL,
    state       text        NOT NULL DEFAULT 'running',
    -- The user in whose name it runs; NULL when the person asked to be forgotten.
    created_by  uuid,
    rows_done   integer     NOT NULL DEFAULT 0,
    -- The file it was kept as; it goes by itself.
    file_id     uuid,
    size_bytes  bigint,
    expires_at  timestamptz,
    error       text,
    job_id      uuid,
    finished_at timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT exports_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT exports_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT exports_format_known CHECK (format IN ('csv', 'ndjson', 'xlsx')),
    CONSTRAINT exports_state_known CHECK (state IN ('running', 'done', 'failed', 'cancelled')),
    CONSTRAINT exports_done_has_file CHECK (state <> 'done' OR file_id IS NOT NULL)
);

CREATE INDEX exports_newest ON exports (company_id, created_at DESC, id DESC);
CREATE INDEX exports_by_user ON exports (created_by) WHERE created_by IS NOT NULL;

ALTER TABLE exports ENABLE ROW LEVEL SECURITY;
ALTER TABLE exports FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON exports
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
