-- Files of a company. What is stored lies in the storage under names made of identifiers; here stands what it is.

-- One row for each content a company has, however many files show it: what is paid for is stored once.
CREATE TABLE file_blobs (
    company_id    uuid        NOT NULL,
    id            uuid        NOT NULL,
    sha256        bytea       NOT NULL,
    size_bytes    bigint      NOT NULL,
    -- Files that show it; with the last of them it goes.
    refs          integer     NOT NULL DEFAULT 1,
    -- Its name in the storage; another one after the object had been lost and the same content came again.
    object_id     uuid        NOT NULL,
    scanned_at    timestamptz,
    missing_since timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT file_blobs_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT file_blobs_sha256_key UNIQUE (company_id, sha256),
    CONSTRAINT file_blobs_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT file_blobs_sha256_whole CHECK (octet_length(sha256) = 32),
    CONSTRAINT file_blobs_size_not_negative CHECK (size_bytes >= 0),
    CONSTRAINT file_blobs_refs_positive CHECK (refs > 0)
);

CREATE TABLE files (
    company_id    uuid        NOT NULL,
    id            uuid        NOT NULL,
    -- Null when the content was refused and is gone.
    blob_id       uuid,
    name          text        NOT NULL,
    -- Told by the content, which is what counts; beside it what the sender said.
    type          text        NOT NULL,
    declared_type text,
    kind          text        NOT NULL,
    size_bytes    bigint      NOT NULL,
    sha256        bytea       NOT NULL,
    width         integer,
    height        integer,
    purpose       text        NOT NULL DEFAULT 'general',
    tags          text[]      NOT NULL DEFAULT '{}',
    state         text        NOT NULL,
    rejection     text,
    -- Null for what a job made.
    uploaded_by   uuid,
    deleted_at    timestamptz,
    -- When it goes for good: out of the trash, or because it was kept for so long only.
    expires_at    timestamptz,
    version       integer     NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT files_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT files_blob_fkey FOREIGN KEY (company_id, blob_id) REFERENCES file_blobs (company_id, id),
    CONSTRAINT files_state_known CHECK (state IN ('pending', 'ready', 'rejected', 'deleted')),
    CONSTRAINT files_blob_unless_rejected CHECK ((blob_id IS NULL) = (state = 'rejected')),
    CONSTRAINT files_rejection_has_reason CHECK ((rejection IS NOT NULL) = (state = 'rejected')),
    CONSTRAINT files_deleted_has_time CHECK ((deleted_at IS NOT NULL) = (state = 'deleted'))
);

CREATE INDEX files_newest ON files (company_id, created_at DESC, id DESC);
CREATE INDEX files_by_name ON files (company_id, name, id);
CREATE INDEX files_by_size ON files (company_id, size_bytes, id);
CREATE INDEX files_by_blob ON files (company_id, blob_id);
CREATE INDEX files_by_tag ON files USING gin (tags);

-- What uses a file: it cannot be deleted while something does.
CREATE TABLE file_refs (
    company_id   uuid        NOT NULL,
    file_id      uuid        NOT NULL,
    subject_type text        NOT NULL,
    subject_id   uuid        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT file_refs_pkey PRIMARY KEY (company_id, subject_type, subject_id, file_id),
    CONSTRAINT file_refs_file_fkey FOREIGN KEY (company_id, file_id) REFERENCES files (company_id, id)
);

CREATE INDEX file_refs_by_file ON file_refs (company_id, file_id);

ALTER TABLE file_blobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE file_blobs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON file_blobs
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

ALTER TABLE files ENABLE ROW LEVEL SECURITY;
ALTER TABLE files FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON files
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

ALTER TABLE file_refs ENABLE ROW LEVEL SECURITY;
ALTER TABLE file_refs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON file_refs
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
