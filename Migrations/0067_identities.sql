-- Signing in by somebody else's word: the identities that people have linked, and the ways there that are under way.

CREATE TABLE identities (
    id           uuid        NOT NULL,
    user_id      uuid        NOT NULL,
    -- `google`, `microsoft`, `github`, `oidc`, or `sso:` and the connection: a company's provider vouches through its
    -- own connection alone, whatever issuer it calls itself.
    provider     text        NOT NULL,
    issuer       text        NOT NULL,
    subject      text        NOT NULL,
    email        text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    CONSTRAINT identities_pkey PRIMARY KEY (id),
    CONSTRAINT identities_subject_key UNIQUE (provider, issuer, subject),
    CONSTRAINT identities_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id)
);

CREATE INDEX identities_of_user ON identities (user_id, created_at);

CREATE TABLE login_flows (
    id             uuid        NOT NULL,
    provider       text        NOT NULL,
    purpose        text        NOT NULL,
    -- Who links it.
    user_id        uuid,
    -- The company whose connection is used.
    of_company     uuid,
    connection_id  uuid,
    -- The company to work in afterwards.
    wanted_company uuid,
    state_sha256   bytea       NOT NULL,
    -- What the browser that began it holds: nobody finishes a way in that another has begun.
    holder_sha256  bytea       NOT NULL,
    nonce          text        NOT NULL,
    verifier_sealed bytea      NOT NULL,
    redirect_uri   text        NOT NULL,
    expires_at     timestamptz NOT NULL,
    used_at        timestamptz,
    created_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT login_flows_pkey PRIMARY KEY (id),
    CONSTRAINT login_flows_state_key UNIQUE (state_sha256),
    CONSTRAINT login_flows_purpose_known CHECK (purpose IN ('login', 'link')),
    CONSTRAINT login_flows_link_has_a_user CHECK ((purpose = 'link') = (user_id IS NOT NULL)),
    CONSTRAINT login_flows_connection_is_whole CHECK ((of_company IS NULL) = (connection_id IS NULL))
);

CREATE INDEX login_flows_expired ON login_flows (expires_at);
