-- Invitations to one address, and links that many may join by. The secret of either is kept as its hash; the
-- token carries the company's id in the clear, so that looking it up needs no table over all companies.

CREATE TABLE invitations (
    company_id    uuid        NOT NULL,
    id            uuid        NOT NULL,
    email         text        NOT NULL,
    email_norm    text        NOT NULL,
    name          text,
    message       text,
    state         text        NOT NULL DEFAULT 'pending',
    token_sha256  bytea       NOT NULL,
    invited_by    uuid        NOT NULL,
    expires_at    timestamptz NOT NULL,
    times_sent    integer     NOT NULL DEFAULT 1,
    last_sent_at  timestamptz NOT NULL DEFAULT now(),
    -- What the inviter may want to know: it was opened; somebody with another address tried it.
    opened_at     timestamptz,
    mismatched_at timestamptz,
    decided_at    timestamptz,
    member_id     uuid,
    version       integer     NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT invitations_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT invitations_token_key UNIQUE (company_id, token_sha256),
    CONSTRAINT invitations_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT invitations_member_fkey FOREIGN KEY (company_id, member_id) REFERENCES memberships (company_id, id),
    CONSTRAINT invitations_state_known CHECK (
        state IN ('pending', 'accepted', 'declined', 'revoked', 'superseded')),
    CONSTRAINT invitations_accepted_has_a_member CHECK (state <> 'accepted' OR member_id IS NOT NULL)
);

CREATE UNIQUE INDEX invitations_one_pending_each ON invitations (company_id, email_norm) WHERE state = 'pending';
CREATE INDEX invitations_newest ON invitations (company_id, created_at DESC, id DESC);

CREATE TABLE invitation_roles (
    company_id    uuid NOT NULL,
    invitation_id uuid NOT NULL,
    role_id       uuid NOT NULL,
    CONSTRAINT invitation_roles_pkey PRIMARY KEY (company_id, invitation_id, role_id),
    CONSTRAINT invitation_roles_invitation_fkey FOREIGN KEY (company_id, invitation_id)
        REFERENCES invitations (company_id, id) ON DELETE CASCADE,
    CONSTRAINT invitation_roles_role_fkey FOREIGN KEY (company_id, role_id)
        REFERENCES roles (company_id, id) ON DELETE CASCADE
);

CREATE TABLE invitation_teams (
    company_id    uuid NOT NULL,
    invitation_id uuid NOT NULL,
    team_id       uuid NOT NULL,
    CONSTRAINT invitation_teams_pkey PRIMARY KEY (company_id, invitation_id, team_id),
    CONSTRAINT invitation_teams_invitation_fkey FOREIGN KEY (company_id, invitation_id)
        REFERENCES invitations (company_id, id) ON DELETE CASCADE,
    CONSTRAINT invitation_teams_team_fkey FOREIGN KEY (company_id, team_id)
        REFERENCES teams (company_id, id) ON DELETE CASCADE
);

CREATE TABLE join_links (
    company_id     uuid        NOT NULL,
    id             uuid        NOT NULL,
    name           text        NOT NULL,
    token_sha256   bytea       NOT NULL,
    role_id        uuid        NOT NULL,
    team_id        uuid,
    -- Only addresses at this domain; any when null.
    email_domain   text,
    -- Asks a manager first instead of letting in.
    needs_approval boolean     NOT NULL DEFAULT false,
    uses           integer     NOT NULL DEFAULT 0,
    uses_max       integer,
    expires_at     timestamptz NOT NULL,
    revoked_at     timestamptz,
    created_by     uuid        NOT NULL,
    version        integer     NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT join_links_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT join_links_token_key UNIQUE (company_id, token_sha256),
    CONSTRAINT join_links_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT join_links_role_fkey FOREIGN KEY (company_id, role_id) REFERENCES roles (company_id, id),
    CONSTRAINT join_links_team_fkey FOREIGN KEY (company_id, team_id) REFERENCES teams (company_id, id),
    CONSTRAINT join_links_uses_within_max CHECK (uses >= 0 AND (uses_max IS NULL OR uses <= uses_max))
);

CREATE TABLE join_requests (
    company_id uuid        NOT NULL,
    id         uuid        NOT NULL,
    link_id    uuid        NOT NULL,
    user_id    uuid        NOT NULL,
    state      text        NOT NULL DEFAULT 'pending',
    decided_by uuid,
    decided_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT join_requests_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT join_requests_link_fkey FOREIGN KEY (company_id, link_id) REFERENCES join_links (company_id, id),
    CONSTRAINT join_requests_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT join_requests_state_known CHECK (state IN ('pending', 'approved', 'denied'))
);

CREATE UNIQUE INDEX join_requests_one_pending_each ON join_requests (company_id, user_id) WHERE state = 'pending';
CREATE INDEX join_requests_newest ON join_requests (company_id, created_at DESC, id DESC);

ALTER TABLE invitations ENABLE ROW LEVEL SECURITY;
ALTER TABLE invitations FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON invitations
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

ALTER TABLE invitation_roles ENABLE ROW LEVEL SECURITY;
ALTER TABLE invitation_roles FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON invitation_roles
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

ALTER TABLE invitation_teams ENABLE ROW LEVEL SECURITY;
ALTER TABLE invitation_teams FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON invitation_teams
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

ALTER TABLE join_links ENABLE ROW LEVEL SECURITY;
ALTER TABLE join_links FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON join_links
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

ALTER TABLE join_requests ENABLE ROW LEVEL SECURITY;
ALTER TABLE join_requests FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON join_requests
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
