-- Uploads that come in several requests. The row says what is safe: after a crash the next request goes on from there,
-- on whichever instance.

CREATE TABLE uploads (
    company_id    uuid        NOT NULL,
    -- Becomes the id of the file.
    id            uuid        NOT NULL,
    user_id       uuid        NOT NULL,
    name          text        NOT NULL,
    declared_type text,
    purpose       text        NOT NULL,
    tags          text[]      NOT NULL DEFAULT '{}',
    length_bytes  bigint      NOT NULL,
    offset_bytes  bigint      NOT NULL DEFAULT 0,
    -- The first bytes, until there are enough of them to tell the type by; then they go to the storage.
    head          bytea       NOT NULL DEFAULT '',
    type          text,
    width         integer,
    height        integer,
    hash_state    bytea,
    -- Which storage has the bytes, under which name, and what it needs to go on.
    storage       text        NOT NULL,
    object_id     uuid        NOT NULL,
    storage_state jsonb       NOT NULL,
    -- Who is writing at this moment; a second request for the same upload is turned away.
    writer        uuid,
    writer_until  timestamptz,
    state         text        NOT NULL DEFAULT 'open',
    -- Why it came to nothing, for whoever asks after the fact.
    failure       text,
    expires_at    timestamptz NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT uploads_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT uploads_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT uploads_state_known CHECK (state IN ('open', 'finished', 'failed')),
    CONSTRAINT uploads_offset_within CHECK (offset_bytes BETWEEN 0 AND length_bytes)
);

CREATE INDEX uploads_newest ON uploads (company_id, created_at DESC, id DESC);

ALTER TABLE uploads ENABLE ROW LEVEL SECURITY;
ALTER TABLE uploads FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON uploads
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

-- What ends at a certain time: uploads nobody finished, files in the trash, files kept for a while.
CREATE TABLE file_deadlines (
    company_id uuid        NOT NULL,
    kind       text        NOT NULL,
    subject_id uuid        NOT NULL,
    due_at     timestamptz NOT NULL,
    CONSTRAINT file_deadlines_pkey PRIMARY KEY (kind, subject_id),
    CONSTRAINT file_deadlines_kind_known CHECK (kind IN ('upload', 'file'))
);

CREATE INDEX file_deadlines_due ON file_deadlines (due_at);

COMMENT ON TABLE file_deadlines IS 'infinity:local: the sweeper looks for what is due in all companies';
