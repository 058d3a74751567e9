-- What people ask about their data: a copy of it, or to be forgotten. A person's request spans companies and outlives
-- her account, and the worker looks for what is due in all: so these tables belong to no tenant, and who asked is kept
-- by value.

CREATE TABLE privacy_requests (
    id              uuid        NOT NULL,
    kind            text        NOT NULL,
    -- Whose data: that of the person who asks, of somebody the company knows by an address, or all of a company's.
    subject         text        NOT NULL,
    -- The company that asks; none when a person asks for herself.
    company_id      uuid,
    user_id         uuid,
    -- The address is needed until it has been done, and is then forgotten too.
    email_sealed    bytea,
    requested_by    uuid        NOT NULL,
    state           text        NOT NULL,
    reason          text,
    blocks_sign_up  boolean     NOT NULL DEFAULT false,
    -- What would happen, table by table, when it was asked for; and what did.
    plan            jsonb,
    report          jsonb,
    -- sha-256 of the report's text, which stands in the record of each company it touched.
    report_sha256   bytea,
    receipt_sha256  bytea,
    file_id         uuid,
    file_bytes      bigint,
    error           text,
    confirmed_at    timestamptz,
    execute_after   timestamptz,
    started_at      timestamptz,
    finished_at     timestamptz,
    expires_at      timestamptz,
    version         integer     NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT privacy_requests_pkey PRIMARY KEY (id),
    CONSTRAINT privacy_requests_kind_known CHECK (kind IN ('export', 'erasure')),
    CONSTRAINT privacy_requests_subject_known CHECK (subject IN ('me', 'person', 'company')),
    CONSTRAINT privacy_requests_state_known CHECK (
        state IN ('queued', 'planned', 'scheduled', 'running', 'blocked', 'done', 'cancelled', 'failed', 'expired')),
    CONSTRAINT privacy_requests_of_a_company CHECK ((subject = 'me') = (company_id IS NULL)),
    CONSTRAINT privacy_requests_of_somebody CHECK (
        subject <> 'me' OR user_id IS NOT NULL),
    CONSTRAINT privacy_requests_done_has_a_time CHECK ((state = 'done') <= (finished_at IS NOT NULL))
);

CREATE INDEX privacy_requests_of_company ON privacy_requests (company_id, created_at DESC, id DESC);
CREATE INDEX privacy_requests_of_person ON privacy_requests (requested_by, created_at DESC, id DESC);
CREATE UNIQUE INDEX privacy_requests_receipt_key ON privacy_requests (receipt_sha256);
-- One erasure of a person at a time.
CREATE UNIQUE INDEX privacy_requests_one_erasure ON privacy_requests (user_id)
    WHERE kind = 'erasure' AND subject = 'me' AND state IN ('scheduled', 'running', 'blocked');

COMMENT ON TABLE privacy_requests IS 'infinity:local: a person''s request spans companies and outlives her account';

-- The steps of an erasure: one table in one company, or one table of no company. A step and its mark are one
-- transaction, so whoever goes on after a crash does nothing twice and leaves nothing out.
CREATE TABLE privacy_steps (
    request_id  uuid    NOT NULL,
    n           integer NOT NULL,
    table_name  text    NOT NULL,
    in_company  uuid,
    action      text    NOT NULL,
    reason      text,
    rows        bigint,
    done_at     timestamptz,
    CONSTRAINT privacy_steps_pkey PRIMARY KEY (request_id, n),
    CONSTRAINT privacy_steps_request_fkey FOREIGN KEY (request_id) REFERENCES privacy_requests (id) ON DELETE CASCADE,
    CONSTRAINT privacy_steps_action_known CHECK (action IN ('identity', 'delete', 'blank', 'keep')),
    CONSTRAINT privacy_steps_kept_for_a_reason CHECK (action <> 'keep' OR reason IS NOT NULL)
);

-- Those who were forgotten and do not want to come back: keyed digests of their addresses.
CREATE TABLE erased_addresses (
    address_mac bytea       NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT erased_addresses_pkey PRIMARY KEY (address_mac)
);
