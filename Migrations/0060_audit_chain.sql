-- The proof that the record of acts is whole. Rows are written unchained, in the transaction of the act: a chain made
-- there would let the writers of a company wait for one another. A worker seals them within a second, each seal holding
-- the hash of the one before it.

CREATE TABLE audit_seals (
    company_id uuid        NOT NULL,
    -- 1, 2, 3 … without a gap: the order in which the acts were sealed.
    seq        bigint      NOT NULL,
    audit_id   uuid        NOT NULL,
    prev_hash  bytea       NOT NULL,
    -- sha-256 of prev_hash and the act in its canonical form.
    hash       bytea       NOT NULL,
    -- The hash under a key the database does not know: who rewrites the whole chain cannot make it.
    mac        bytea       NOT NULL,
    sealed_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT audit_seals_pkey PRIMARY KEY (company_id, seq),
    CONSTRAINT audit_seals_one_each UNIQUE (company_id, audit_id),
    CONSTRAINT audit_seals_count_from_one CHECK (seq >= 1),
    CONSTRAINT audit_seals_hashes_are_whole CHECK (
        octet_length(prev_hash) = 32 AND octet_length(hash) = 32 AND octet_length(mac) = 32)
);

ALTER TABLE audit_seals ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_seals FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON audit_seals
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

REVOKE UPDATE, DELETE, TRUNCATE ON audit_seals FROM infinity_app;

-- Acts that wait for their seal, of all companies. A row comes and goes within a second.
CREATE TABLE audit_unsealed (
    audit_id   uuid NOT NULL,
    company_id uuid NOT NULL,
    CONSTRAINT audit_unsealed_pkey PRIMARY KEY (audit_id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

COMMENT ON TABLE audit_unsealed IS 'infinity:local: the worker seals the acts of all companies';

-- Every company, for work that goes through all of them: row-level security rightly hides one from another. A company
-- is listed with its first seal.
CREATE TABLE company_upkeep (
    company_id       uuid        NOT NULL,
    retention_due_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT company_upkeep_pkey PRIMARY KEY (company_id)
);

CREATE INDEX company_upkeep_due ON company_upkeep (retention_due_at);

COMMENT ON TABLE company_upkeep IS 'infinity:local: the worker goes through all companies';

-- What was recorded before is sealed first, oldest first.
ALTER TABLE audit_log NO FORCE ROW LEVEL SECURITY;
INSERT INTO audit_unsealed (audit_id, company_id) SELECT id, company_id FROM audit_log;
ALTER TABLE audit_log FORCE ROW LEVEL SECURITY;

-- Where retention has cut the chain's beginning off: the last seal that went, so that what follows still verifies.
CREATE TABLE audit_cuts (
    company_id uuid        NOT NULL,
    seq        bigint      NOT NULL,
    hash       bytea       NOT NULL,
    rows       bigint      NOT NULL,
    before     timestamptz NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT audit_cuts_pkey PRIMARY KEY (company_id, seq)
);

ALTER TABLE audit_cuts ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_cuts FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON audit_cuts
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON audit_cuts FROM infinity_app;

-- Acts are searched by their name and its beginning: `member.*`.
CREATE INDEX audit_log_by_action ON audit_log (company_id, action text_pattern_ops, at DESC, id DESC);
