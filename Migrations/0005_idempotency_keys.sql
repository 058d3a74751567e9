-- The answers of POST requests that carried an Idempotency-Key, kept for a day so that a repeated request gets the
-- first one's answer. The row is written in the transaction of the effect itself: both are there or neither.
--
-- It belongs to no tenant: on open routes (a sign-up) there is none yet. The name is a keyed code of caller, address
-- and key, so nobody can ask for another's answer; the body is sealed, for it may hold a secret shown once.

CREATE TABLE idempotency_keys (
    name         bytea       NOT NULL,
    request_hash bytea       NOT NULL,
    status       integer     NOT NULL,
    headers      bytea       NOT NULL,
    body         bytea       NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (name),
    CONSTRAINT idempotency_keys_status_is_http CHECK (status BETWEEN 200 AND 599)
);

-- The worker deletes what is older than a day.
CREATE INDEX idempotency_keys_created_at_idx ON idempotency_keys (created_at);
