-- Feature flags, the segments they go by, and changes that wait for their time or for a second pair of eyes. The
-- product's own flags belong to the company 00000000-0000-0000-0000-000000000000, which is nobody's.

-- Rises with every change of an owner's flags or settings; its row is also the lock that puts those changes in order.
CREATE TABLE config_versions (
    company_id uuid   NOT NULL,
    kind       text   NOT NULL,
    version    bigint NOT NULL DEFAULT 1,
    CONSTRAINT config_versions_pkey PRIMARY KEY (company_id, kind)
);

CREATE TABLE feature_flags (
    company_id     uuid        NOT NULL,
    id             uuid        NOT NULL,
    key            text        NOT NULL,
    kind           text        NOT NULL,
    description    text,
    -- Who answers for it, as a name or a team.
    owner          text,
    is_on          boolean     NOT NULL DEFAULT false,
    -- Whether a second person must agree to a change.
    needs_approval boolean     NOT NULL DEFAULT false,
    -- Mixed into every draw, so that two flags do not pick the same units first. It never changes.
    salt           text        NOT NULL,
    rules          jsonb       NOT NULL,
    stale_at       timestamptz,
    archived_at    timestamptz,
    version        integer     NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT feature_flags_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT feature_flags_key_key UNIQUE (company_id, key),
    CONSTRAINT feature_flags_kind_known CHECK (kind IN ('release', 'experiment', 'ops', 'kill_switch', 'permission'))
);

-- What a flag was, version by version; rows are only added.
CREATE TABLE flag_versions (
    company_id uuid        NOT NULL,
    flag_id    uuid        NOT NULL,
    version    integer     NOT NULL,
    action     text        NOT NULL,
    is_on      boolean     NOT NULL,
    rules      jsonb       NOT NULL,
    actor_kind text        NOT NULL,
    actor_id   uuid,
    at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT flag_versions_pkey PRIMARY KEY (company_id, flag_id, version),
    CONSTRAINT flag_versions_flag_fkey FOREIGN KEY (company_id, flag_id)
        REFERENCES feature_flags (company_id, id) ON DELETE CASCADE
);

-- When a flag was last asked for, as the instances have told.
CREATE TABLE flag_sightings (
    company_id   uuid        NOT NULL,
    flag_id      uuid        NOT NULL,
    last_seen_at timestamptz NOT NULL,
    evaluations  bigint      NOT NULL,
    CONSTRAINT flag_sightings_pkey PRIMARY KEY (company_id, flag_id),
    CONSTRAINT flag_sightings_flag_fkey FOREIGN KEY (company_id, flag_id)
        REFERENCES feature_flags (company_id, id) ON DELETE CASCADE
);

CREATE TABLE segments (
    company_id  uuid        NOT NULL,
    id          uuid        NOT NULL,
    key         text        NOT NULL,
    description text,
    conditions  jsonb       NOT NULL,
    version     integer     NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT segments_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT segments_key_key UNIQUE (company_id, key)
);

CREATE TABLE config_changes (
    company_id   uuid        NOT NULL,
    id           uuid        NOT NULL,
    target       text        NOT NULL,
    key          text        NOT NULL,
    change       jsonb       NOT NULL,
    reason       text,
    -- What the proposer saw; when the target has changed since, the change fails instead of undoing that.
    base_version integer     NOT NULL,
    state        text        NOT NULL DEFAULT 'proposed',
    needs_approval boolean   NOT NULL,
    apply_at     timestamptz,
    proposed_by  uuid        NOT NULL,
    decided_by   uuid,
    decided_at   timestamptz,
    applied_at   timestamptz,
    failure      text,
    version      integer     NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT config_changes_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT config_changes_target_known CHECK (target IN ('flag', 'setting')),
    CONSTRAINT config_changes_state_known
        CHECK (state IN ('proposed', 'approved', 'applied', 'cancelled', 'failed')),
    CONSTRAINT config_changes_four_eyes CHECK (NOT needs_approval OR state IN ('proposed', 'cancelled')
                                               OR decided_by <> proposed_by)
);

CREATE INDEX config_changes_newest ON config_changes (company_id, created_at DESC, id DESC);

ALTER TABLE config_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE config_versions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON config_versions
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

ALTER TABLE feature_flags ENABLE ROW LEVEL SECURITY;
ALTER TABLE feature_flags FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON feature_flags
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

ALTER TABLE flag_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE flag_versions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON flag_versions
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

ALTER TABLE flag_sightings ENABLE ROW LEVEL SECURITY;
ALTER TABLE flag_sightings FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON flag_sightings
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

ALTER TABLE segments ENABLE ROW LEVEL SECURITY;
ALTER TABLE segments FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON segments
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

ALTER TABLE config_changes ENABLE ROW LEVEL SECURITY;
ALTER TABLE config_changes FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON config_changes
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
