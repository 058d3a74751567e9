-- Second factors: authenticator apps, and the codes for the day the phone is lost.

CREATE TABLE mfa_factors (
    id            uuid        NOT NULL,
    user_id       uuid        NOT NULL,
    kind          text        NOT NULL DEFAULT 'totp',
    name          text        NOT NULL,
    secret_sealed bytea       NOT NULL,
    -- The last step whose code was taken: it only rises, so a code that was overheard is worth nothing.
    last_step     bigint      NOT NULL DEFAULT 0,
    verified_at   timestamptz,
    last_used_at  timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT mfa_factors_pkey PRIMARY KEY (id),
    CONSTRAINT mfa_factors_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT mfa_factors_kind_known CHECK (kind IN ('totp'))
);

CREATE INDEX mfa_factors_of_user ON mfa_factors (user_id, created_at);
CREATE UNIQUE INDEX mfa_factors_name_key ON mfa_factors (user_id, lower(name)) WHERE verified_at IS NOT NULL;

CREATE TABLE recovery_codes (
    user_id    uuid        NOT NULL,
    code_mac   bytea       NOT NULL,
    used_at    timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT recovery_codes_pkey PRIMARY KEY (user_id, code_mac),
    CONSTRAINT recovery_codes_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id)
);
