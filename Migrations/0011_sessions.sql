-- Sessions: one per sign-in, with the chain of its refresh tokens. Tokens are kept as digests only.

CREATE TABLE sessions (
    id                 uuid        NOT NULL,
    user_id            uuid        NOT NULL,
    -- The company the session works in at present.
    company_id         uuid,
    -- 1: password or mailed code; 2: with a second factor.
    assurance          integer     NOT NULL DEFAULT 1,
    methods            text[]      NOT NULL DEFAULT '{}',
    -- Kept in cookies rather than handed to the client's program.
    is_browser         boolean     NOT NULL DEFAULT false,
    device             text        NOT NULL,
    user_agent         text        NOT NULL,
    address            text        NOT NULL,
    -- When the person last proved who she is; sensitive acts ask for it anew.
    authenticated_at   timestamptz NOT NULL DEFAULT now(),
    last_used_at       timestamptz NOT NULL DEFAULT now(),
    idle_expires_at    timestamptz NOT NULL,
    expires_at         timestamptz NOT NULL,
    revoked_at         timestamptz,
    revoke_reason      text,
    created_at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT sessions_pkey PRIMARY KEY (id),
    CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT sessions_assurance_known CHECK (assurance IN (1, 2)),
    CONSTRAINT sessions_revoked_has_a_reason CHECK ((revoked_at IS NULL) = (revoke_reason IS NULL))
);

CREATE INDEX sessions_alive_of_user ON sessions (user_id, id) WHERE revoked_at IS NULL;
CREATE INDEX sessions_ended ON sessions (expires_at);

CREATE TABLE refresh_tokens (
    session_id   uuid        NOT NULL,
    -- The generation: each rotation makes the next.
    n            integer     NOT NULL,
    token_sha256 bytea       NOT NULL,
    -- The successor is computed from its parent's text and this, so that a client whose answer was lost gets the
    -- very same successor without its text being kept.
    salt         bytea       NOT NULL,
    state        text        NOT NULL DEFAULT 'active',
    created_at   timestamptz NOT NULL DEFAULT now(),
    rotated_at   timestamptz,
    CONSTRAINT refresh_tokens_pkey PRIMARY KEY (session_id, n),
    CONSTRAINT refresh_tokens_token_key UNIQUE (token_sha256),
    CONSTRAINT refresh_tokens_session_id_fkey FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE,
    CONSTRAINT refresh_tokens_state_known CHECK (state IN ('active', 'rotated', 'revoked')),
    CONSTRAINT refresh_tokens_rotated_has_a_time CHECK (state <> 'rotated' OR rotated_at IS NOT NULL)
);

-- Whatever the program does: a session never has two refresh tokens that work.
CREATE UNIQUE INDEX refresh_tokens_one_active ON refresh_tokens (session_id) WHERE state = 'active';

-- What a person's sign-ins looked like before, so that a new one can be told to her.
CREATE TABLE known_devices (
    user_id       uuid        NOT NULL,
    device_sha256 bytea       NOT NULL,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT known_devices_pkey PRIMARY KEY (user_id, device_sha256),
    CONSTRAINT known_devices_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id)
);
