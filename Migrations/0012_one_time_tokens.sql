-- Links and codes that work once: proving an address, a new password, the second step of a sign-in. The token is
-- kept as its digest; the six-digit code beside it as a keyed one, because a million codes are soon tried.

CREATE TABLE one_time_tokens (
    id           uuid        NOT NULL,
    purpose      text        NOT NULL,
    user_id      uuid        NOT NULL,
    token_sha256 bytea       NOT NULL,
    code_mac     bytea,
    attempts     integer     NOT NULL DEFAULT 0,
    -- What the purpose needs to know when the token comes back: the new address, the session, the company asked for.
    detail       jsonb       NOT NULL DEFAULT '{}',
    expires_at   timestamptz NOT NULL,
    used_at      timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT one_time_tokens_pkey PRIMARY KEY (id),
    CONSTRAINT one_time_tokens_token_key UNIQUE (token_sha256),
    CONSTRAINT one_time_tokens_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT one_time_tokens_purpose_known CHECK (
        purpose IN ('verify_email', 'reset_password', 'change_email', 'second_factor', 'not_me', 'magic_link')),
    CONSTRAINT one_time_tokens_attempts_counted CHECK (attempts >= 0)
);

CREATE INDEX one_time_tokens_of_user ON one_time_tokens (user_id, purpose, created_at DESC);
CREATE INDEX one_time_tokens_expired ON one_time_tokens (expires_at);
