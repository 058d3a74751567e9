-- Links and codes that work once. The token is kept as its digest; the six-digit code beside it as a keyed one,
-- because a million codes are soon tried.

-- Somebody has asked for an account and has not yet proven the address. There is no account until then: a link
-- makes exactly the account its own request asked for, so nobody can slip a password into another's sign-up.
CREATE TABLE signups (
    id            uuid        NOT NULL,
    email         text        NOT NULL,
    email_norm    text        NOT NULL,
    name          text        NOT NULL,
    password_hash text        NOT NULL,
    company_name  text,
    locale        text        NOT NULL,
    time_zone     text        NOT NULL,
    token_sha256  bytea       NOT NULL,
    code_mac      bytea       NOT NULL,
    attempts      integer     NOT NULL DEFAULT 0,
    times_sent    integer     NOT NULL DEFAULT 1,
    expires_at    timestamptz NOT NULL,
    used_at       timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT signups_pkey PRIMARY KEY (id),
    CONSTRAINT signups_token_key UNIQUE (token_sha256),
    CONSTRAINT signups_attempts_counted CHECK (attempts >= 0)
);

CREATE INDEX signups_of_address ON signups (email_norm, created_at DESC);
CREATE INDEX signups_expired ON signups (expires_at);

-- The same for those who have an account: a new password, a new address, the second step of a sign-in.

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
        purpose IN ('reset_password', 'change_email', 'second_factor', 'not_me')),
    CONSTRAINT one_time_tokens_attempts_counted CHECK (attempts >= 0)
);

CREATE INDEX one_time_tokens_of_user ON one_time_tokens (user_id, purpose, created_at DESC);
CREATE INDEX one_time_tokens_expired ON one_time_tokens (expires_at);
