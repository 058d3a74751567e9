-- A company's own identity provider, by which its people sign in.

CREATE TABLE sso_connections (
    company_id           uuid        NOT NULL,
    id                   uuid        NOT NULL,
    name                 text        NOT NULL,
    issuer               text        NOT NULL,
    client_id            text        NOT NULL,
    client_secret_sealed bytea,
    -- Whether somebody the company does not know yet becomes a member by signing in, and with which role.
    provisions_members   boolean     NOT NULL DEFAULT true,
    default_role_id      uuid,
    is_enabled           boolean     NOT NULL DEFAULT false,
    tested_at            timestamptz,
    created_by           uuid        NOT NULL,
    version              integer     NOT NULL DEFAULT 1,
    created_at           timestamptz NOT NULL DEFAULT now(),
    updated_at           timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT sso_connections_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT sso_connections_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT sso_connections_role_fkey FOREIGN KEY (company_id, default_role_id) REFERENCES roles (company_id, id)
);

CREATE UNIQUE INDEX sso_connections_one_enabled ON sso_connections (company_id) WHERE is_enabled;

ALTER TABLE sso_connections ENABLE ROW LEVEL SECURITY;
ALTER TABLE sso_connections FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON sso_connections
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
