-- What a project needs to go through its life: where it was before the archive, whose favourite it is, and the keys of
-- those that are gone.

ALTER TABLE projects
    ADD COLUMN cover_url     text,
    -- What restoring gives back.
    ADD COLUMN archived_from text,
    ADD COLUMN deleted_by    uuid,
    ADD CONSTRAINT projects_archived_from_known
        CHECK (archived_from IS NULL
            OR archived_from IN ('draft', 'active', 'on_hold', 'completed') AND status = 'archived');

CREATE INDEX projects_in_trash ON projects (company_id, deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX projects_by_lead ON projects (company_id, lead_id) WHERE lead_id IS NOT NULL;

CREATE TABLE project_favourites (
    company_id uuid        NOT NULL,
    member_id  uuid        NOT NULL,
    project_id uuid        NOT NULL,
    added_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT project_favourites_pkey PRIMARY KEY (company_id, member_id, project_id),
    CONSTRAINT project_favourites_project_fkey FOREIGN KEY (company_id, project_id)
        REFERENCES projects (company_id, id) ON DELETE CASCADE,
    CONSTRAINT project_favourites_member_fkey FOREIGN KEY (company_id, member_id)
        REFERENCES memberships (company_id, id) ON DELETE CASCADE
);

CREATE INDEX project_favourites_by_project ON project_favourites (company_id, project_id);

-- A link to WEB-142 must never lead to another project's task, so a key is not given again when its project is gone.
CREATE TABLE retired_project_keys (
    company_id uuid        NOT NULL,
    key        text        NOT NULL,
    project_id uuid        NOT NULL,
    retired_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT retired_project_keys_pkey PRIMARY KEY (company_id, key),
    CONSTRAINT retired_project_keys_company_fkey FOREIGN KEY (company_id) REFERENCES companies (id)
);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['project_favourites', 'retired_project_keys'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format($policy$CREATE POLICY tenant ON %I
            USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
            WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid)$policy$, name);
    END LOOP;
END $$;
