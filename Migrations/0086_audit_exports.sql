-- Files of the record of changes that are too long to be waited for: made by a job, opened by a signed link, and gone
-- after a week.
CREATE TABLE audit_exports (
    company_id   uuid        NOT NULL,
    id           uuid        NOT NULL,
    format       text        NOT NULL,
    -- Which changes are in it.
    selection    jsonb       NOT NULL,
    state        text        NOT NULL DEFAULT 'queued',
    events       bigint      NOT NULL DEFAULT 0,
    bytes        bigint      NOT NULL DEFAULT 0,
    requested_by uuid,
    created_at   timestamptz NOT NULL DEFAULT now(),
    finished_at  timestamptz,
    expires_at   timestamptz,
    version      integer     NOT NULL DEFAULT 1,
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT audit_exports_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT audit_exports_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT audit_exports_format_known CHECK (format IN ('ndjson', 'csv')),
    CONSTRAINT audit_exports_state_known CHECK (state IN ('queued', 'running', 'done', 'failed', 'expired')),
    CONSTRAINT audit_exports_done_ends CHECK ((state = 'done') <= (expires_at IS NOT NULL))
);

CREATE INDEX audit_exports_newest ON audit_exports (company_id, created_at DESC, id DESC);

ALTER TABLE audit_exports ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_exports FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON audit_exports
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
