-- Settings that are changed while the program runs, by whom they hold for: the system (under the company that is
-- nobody's), a company, or one person in it.

CREATE TABLE settings (
    company_id uuid        NOT NULL,
    scope      text        NOT NULL,
    -- The company's id, or the user's.
    scope_id   uuid        NOT NULL,
    key        text        NOT NULL,
    value      jsonb       NOT NULL,
    version    integer     NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT settings_pkey PRIMARY KEY (company_id, scope_id, key),
    CONSTRAINT settings_scope_known CHECK (scope IN ('system', 'company', 'user')),
    CONSTRAINT settings_scope_fits CHECK ((scope = 'user') = (scope_id <> company_id))
);

-- What a setting was, version by version; no value where it was cleared. Rows are only added.
CREATE TABLE setting_versions (
    company_id uuid        NOT NULL,
    scope_id   uuid        NOT NULL,
    key        text        NOT NULL,
    version    integer     NOT NULL,
    value      jsonb,
    actor_kind text        NOT NULL,
    actor_id   uuid,
    at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT setting_versions_pkey PRIMARY KEY (company_id, scope_id, key, version)
);

ALTER TABLE settings ENABLE ROW LEVEL SECURITY;
ALTER TABLE settings FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON settings
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

ALTER TABLE setting_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE setting_versions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON setting_versions
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
