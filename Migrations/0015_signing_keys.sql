-- The keys that sign access tokens, shared by all instances. The private half is sealed with INFINITY_SECRET_KEY.
-- A key is published as `next` before it signs and as `retired` for as long as a token signed with it may live.

CREATE TABLE signing_keys (
    kid            text        NOT NULL,
    state          text        NOT NULL,
    public_der     bytea       NOT NULL,
    private_sealed bytea,
    created_at     timestamptz NOT NULL DEFAULT now(),
    current_since  timestamptz,
    retired_at     timestamptz,
    CONSTRAINT signing_keys_pkey PRIMARY KEY (kid),
    CONSTRAINT signing_keys_state_known CHECK (state IN ('next', 'current', 'retired')),
    CONSTRAINT signing_keys_retired_has_a_time CHECK (state <> 'retired' OR retired_at IS NOT NULL),
    -- A retired key can no longer sign: its private half is gone.
    CONSTRAINT signing_keys_retired_cannot_sign CHECK ((state = 'retired') = (private_sealed IS NULL))
);

CREATE UNIQUE INDEX signing_keys_one_current ON signing_keys (state) WHERE state = 'current';
CREATE UNIQUE INDEX signing_keys_one_next ON signing_keys (state) WHERE state = 'next';
