-- How often signing in has failed lately, by account, by address, and by the pair; in the database, so that going
-- round the instances gains nothing. The keys are digests: an account need not exist to be counted.

CREATE TABLE login_throttles (
    key           bytea       NOT NULL,
    failures      integer     NOT NULL,
    blocked_until timestamptz NOT NULL,
    last_at       timestamptz NOT NULL,
    CONSTRAINT login_throttles_pkey PRIMARY KEY (key),
    CONSTRAINT login_throttles_failures_positive CHECK (failures > 0)
);

CREATE INDEX login_throttles_old ON login_throttles (last_at);
