-- Keys of programs. A key belongs to one company and to the member who made it: it can never do more than that
-- member may at the moment of the call, and opens no other company.

CREATE TABLE api_keys (
    company_id    uuid        NOT NULL,
    id            uuid        NOT NULL,
    created_by    uuid        NOT NULL,
    name          text        NOT NULL,
    -- The beginning of the key, to tell keys apart.
    hint          text        NOT NULL,
    scopes        text[]      NOT NULL,
    -- Addresses and ranges it may be used from; none means from anywhere.
    ip_allow_list text[]      NOT NULL DEFAULT '{}',
    expires_at    timestamptz,
    last_used_at  timestamptz,
    last_used_from text,
    revoked_at    timestamptz,
    rotated_at    timestamptz,
    version       integer     NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT api_keys_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT api_keys_created_by_fkey FOREIGN KEY (created_by) REFERENCES users (id),
    CONSTRAINT api_keys_can_do_something CHECK (cardinality(scopes) > 0)
);

CREATE INDEX api_keys_newest ON api_keys (company_id, created_at DESC, id DESC);
CREATE INDEX api_keys_by_maker ON api_keys (company_id, created_by);

ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON api_keys
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

-- Which company and key a secret belongs to: the one thing that must be found before the company is known. A
-- rotated key's old secret stands beside the new one until its grace is over.
CREATE TABLE api_key_hashes (
    key_sha256 bytea       NOT NULL,
    of_company uuid        NOT NULL,
    key_id     uuid        NOT NULL,
    valid_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT api_key_hashes_pkey PRIMARY KEY (key_sha256)
);

CREATE INDEX api_key_hashes_of_key ON api_key_hashes (of_company, key_id);
