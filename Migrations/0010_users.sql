-- People. A person exists once, whatever companies she works in; which those are stands in the companies'
-- memberships, so this table belongs to no tenant.

CREATE TABLE users (
    id                  uuid        NOT NULL,
    -- As typed; `email_norm` is what is compared.
    email               text,
    email_norm          text,
    name                text        NOT NULL,
    password_hash       text,
    password_changed_at timestamptz,
    email_verified_at   timestamptz,
    status              text        NOT NULL DEFAULT 'active',
    locale              text        NOT NULL DEFAULT 'en',
    time_zone           text        NOT NULL DEFAULT 'UTC',
    avatar_url          text,
    -- Where the next sign-in begins. No reference: the company may be gone by then.
    last_company_id     uuid,
    last_login_at       timestamptz,
    version             integer     NOT NULL DEFAULT 1,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_email_norm_key UNIQUE (email_norm),
    -- Locked: signs in again only after setting a new password by mail.
    CONSTRAINT users_status_known CHECK (status IN ('active', 'locked', 'deleted')),
    -- A deleted person leaves no address behind, so that it may be used anew.
    CONSTRAINT users_deleted_has_no_email CHECK (
        (status = 'deleted') = (email_norm IS NULL) AND (email IS NULL) = (email_norm IS NULL)),
    CONSTRAINT users_email_norm_is_lower CHECK (email_norm = lower(email_norm))
);
