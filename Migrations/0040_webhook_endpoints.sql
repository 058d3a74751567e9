-- Where companies want their events sent.

CREATE TABLE webhook_endpoints (
    company_id          uuid        NOT NULL,
    id                  uuid        NOT NULL,
    url                 text        NOT NULL,
    description         text        NOT NULL DEFAULT '',
    -- Empty for all types.
    event_types         text[]      NOT NULL DEFAULT '{}',
    -- Empty for all; else one of them must be among the message's.
    channels            text[]      NOT NULL DEFAULT '{}',
    -- The company's own header fields: the names may be shown, names and values are sealed.
    header_names        text[]      NOT NULL DEFAULT '{}',
    headers_sealed      bytea,
    throttle_per_second integer,
    is_active           boolean     NOT NULL DEFAULT true,
    disabled_reason     text,
    disabled_at         timestamptz,
    -- How messages are signed: `v1` by a shared secret, `v1a` by a key pair of ours.
    signature           text        NOT NULL,
    secret_sealed       bytea       NOT NULL,
    public_key          text,
    -- After a rotation the former secret signs too, until then.
    old_signature       text,
    old_secret_sealed   bytea,
    old_secret_until    timestamptz,
    secret_rotated_at   timestamptz,
    created_by          uuid,
    version             integer     NOT NULL DEFAULT 1,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT webhook_endpoints_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT webhook_endpoints_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT webhook_endpoints_throttle_positive CHECK (throttle_per_second > 0),
    CONSTRAINT webhook_endpoints_disabled_says_why CHECK (is_active = (disabled_reason IS NULL)),
    CONSTRAINT webhook_endpoints_disabled_reason_known CHECK (disabled_reason IN ('manual', 'failing', 'gone')),
    CONSTRAINT webhook_endpoints_signature_known CHECK (signature IN ('v1', 'v1a') AND old_signature IN ('v1', 'v1a')),
    CONSTRAINT webhook_endpoints_key_pair_is_public CHECK ((signature = 'v1a') = (public_key IS NOT NULL)),
    CONSTRAINT webhook_endpoints_old_secret_ends CHECK (
        (old_secret_sealed IS NULL) = (old_secret_until IS NULL) AND (old_secret_sealed IS NULL) = (old_signature IS NULL))
);

ALTER TABLE webhook_endpoints ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_endpoints FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON webhook_endpoints
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
