-- Teams: groups of people inside a company.

CREATE TABLE teams (
    company_id  uuid        NOT NULL,
    id          uuid        NOT NULL,
    name        text        NOT NULL,
    description text,
    color       text,
    version     integer     NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT teams_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT teams_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT teams_color_is_hex CHECK (color ~ '^#[0-9a-f]{6}$')
);

CREATE UNIQUE INDEX teams_name_key ON teams (company_id, lower(name));

CREATE TABLE team_members (
    company_id uuid        NOT NULL,
    team_id    uuid        NOT NULL,
    member_id  uuid        NOT NULL,
    is_lead    boolean     NOT NULL DEFAULT false,
    added_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT team_members_pkey PRIMARY KEY (company_id, team_id, member_id),
    CONSTRAINT team_members_team_fkey FOREIGN KEY (company_id, team_id)
        REFERENCES teams (company_id, id) ON DELETE CASCADE,
    CONSTRAINT team_members_member_fkey FOREIGN KEY (company_id, member_id)
        REFERENCES memberships (company_id, id) ON DELETE CASCADE
);

CREATE INDEX team_members_by_member ON team_members (company_id, member_id);

ALTER TABLE teams ENABLE ROW LEVEL SECURITY;
ALTER TABLE teams FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON teams
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

ALTER TABLE team_members ENABLE ROW LEVEL SECURITY;
ALTER TABLE team_members FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON team_members
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
