-- Roles of a company. The six built-in ones stand here as rows, so that they can be given and counted; what they
-- permit is said by the program. Custom roles list their permissions.

CREATE TABLE roles (
    company_id  uuid        NOT NULL,
    id          uuid        NOT NULL,
    key         text        NOT NULL,
    name        text        NOT NULL,
    description text,
    is_builtin  boolean     NOT NULL DEFAULT false,
    permissions text[]      NOT NULL DEFAULT '{}',
    version     integer     NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT roles_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT roles_key_key UNIQUE (company_id, key),
    CONSTRAINT roles_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT roles_builtin_keys CHECK (
        is_builtin = (key IN ('owner', 'admin', 'manager', 'member', 'viewer', 'client'))),
    CONSTRAINT roles_builtin_permissions_come_from_code CHECK (NOT is_builtin OR permissions = '{}')
);

CREATE UNIQUE INDEX roles_name_key ON roles (company_id, lower(name));

CREATE TABLE member_roles (
    company_id uuid        NOT NULL,
    member_id  uuid        NOT NULL,
    role_id    uuid        NOT NULL,
    granted_by uuid,
    granted_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT member_roles_pkey PRIMARY KEY (company_id, member_id, role_id),
    CONSTRAINT member_roles_member_fkey FOREIGN KEY (company_id, member_id)
        REFERENCES memberships (company_id, id) ON DELETE CASCADE,
    CONSTRAINT member_roles_role_fkey FOREIGN KEY (company_id, role_id) REFERENCES roles (company_id, id)
);

CREATE INDEX member_roles_by_role ON member_roles (company_id, role_id);

ALTER TABLE roles ENABLE ROW LEVEL SECURITY;
ALTER TABLE roles FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON roles
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

ALTER TABLE member_roles ENABLE ROW LEVEL SECURITY;
ALTER TABLE member_roles FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON member_roles
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
