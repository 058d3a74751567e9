-- Roles on single things: a team, later a project, a channel, a client. What a role permits it permits there alone.

CREATE TABLE object_grants (
    company_id  uuid        NOT NULL,
    id          uuid        NOT NULL,
    -- The kind of thing, as its domain calls it, and which. No reference: every domain has its own tables.
    object_type text        NOT NULL,
    object_id   uuid        NOT NULL,
    -- Who holds it: one member, or everybody in a team.
    member_id   uuid,
    team_id     uuid,
    role_id     uuid        NOT NULL,
    granted_by  uuid        NOT NULL,
    expires_at  timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT object_grants_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT object_grants_member_fkey FOREIGN KEY (company_id, member_id)
        REFERENCES memberships (company_id, id) ON DELETE CASCADE,
    CONSTRAINT object_grants_team_fkey FOREIGN KEY (company_id, team_id)
        REFERENCES teams (company_id, id) ON DELETE CASCADE,
    CONSTRAINT object_grants_role_fkey FOREIGN KEY (company_id, role_id) REFERENCES roles (company_id, id),
    CONSTRAINT object_grants_one_holder CHECK ((member_id IS NULL) <> (team_id IS NULL))
);

CREATE UNIQUE INDEX object_grants_of_member ON object_grants (company_id, object_type, object_id, member_id, role_id)
    WHERE member_id IS NOT NULL;
CREATE UNIQUE INDEX object_grants_of_team ON object_grants (company_id, object_type, object_id, team_id, role_id)
    WHERE team_id IS NOT NULL;
CREATE INDEX object_grants_by_member ON object_grants (company_id, member_id);
CREATE INDEX object_grants_newest ON object_grants (company_id, created_at DESC, id DESC);

ALTER TABLE object_grants ENABLE ROW LEVEL SECURITY;
ALTER TABLE object_grants FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON object_grants
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
