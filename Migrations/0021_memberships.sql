-- Who is in a company. A row is never deleted when somebody leaves: history points at it, and coming back
-- revives it.

CREATE TABLE memberships (
    company_id     uuid        NOT NULL,
    id             uuid        NOT NULL,
    user_id        uuid        NOT NULL,
    -- The agency whose staff this person belongs to, when in here by its grant rather than by an invitation.
    via_company_id uuid,
    status         text        NOT NULL DEFAULT 'active',
    title          text,
    attributes     jsonb       NOT NULL DEFAULT '{}',
    joined_at      timestamptz NOT NULL DEFAULT now(),
    suspended_at   timestamptz,
    removed_at     timestamptz,
    version        integer     NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT memberships_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT memberships_one_per_person UNIQUE (company_id, user_id),
    CONSTRAINT memberships_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT memberships_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT memberships_status_known CHECK (status IN ('active', 'suspended', 'removed')),
    CONSTRAINT memberships_attributes_is_an_object CHECK (jsonb_typeof(attributes) = 'object')
);

CREATE INDEX memberships_of_user ON memberships (user_id, status);
CREATE INDEX memberships_newest ON memberships (company_id, joined_at DESC, id DESC);

ALTER TABLE memberships ENABLE ROW LEVEL SECURITY;
ALTER TABLE memberships FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON memberships
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
-- One's own memberships are visible in every company: signing in and switching company start from them.
CREATE POLICY own ON memberships FOR SELECT
    USING (user_id = nullif(current_setting('app.user_id', true), '')::uuid);

ALTER TABLE companies ENABLE ROW LEVEL SECURITY;
ALTER TABLE companies FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON companies
    USING (id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (id = nullif(current_setting('app.company_id', true), '')::uuid);
CREATE POLICY children ON companies FOR SELECT
    USING (parent_company_id = nullif(current_setting('app.company_id', true), '')::uuid);
CREATE POLICY own ON companies FOR SELECT
    USING (id IN (SELECT m.company_id FROM memberships m
                   WHERE m.user_id = nullif(current_setting('app.user_id', true), '')::uuid
                     AND m.status <> 'removed'));
