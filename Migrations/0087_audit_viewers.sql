-- Links by which somebody without an account, as an outside auditor, reads a part of a company's record of changes.
CREATE TABLE audit_viewers (
    company_id     uuid        NOT NULL,
    id             uuid        NOT NULL,
    name           text        NOT NULL,
    -- Which changes it shows; the reader may ask for fewer, never for more.
    selection      jsonb       NOT NULL,
    token_sha256   bytea       NOT NULL,
    expires_at     timestamptz NOT NULL,
    revoked_at     timestamptz,
    uses           bigint      NOT NULL DEFAULT 0,
    last_used_at   timestamptz,
    last_used_from text,
    created_by     uuid,
    version        integer     NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT audit_viewers_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT audit_viewers_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT audit_viewers_token_key UNIQUE (company_id, token_sha256)
);

CREATE INDEX audit_viewers_newest ON audit_viewers (company_id, created_at DESC, id DESC);

ALTER TABLE audit_viewers ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_viewers FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON audit_viewers
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
