-- Projects to be made again and again: their states, milestones and tasks, with days counted from the start.

CREATE TABLE project_templates (
    company_id  uuid        NOT NULL,
    id          uuid        NOT NULL,
    name        text        NOT NULL,
    description text,
    -- {"states": […], "milestones": […], "tasks": […]}, checked when it is written.
    content     jsonb       NOT NULL,
    created_by  uuid,
    version     integer     NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT project_templates_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT project_templates_company_fkey FOREIGN KEY (company_id) REFERENCES companies (id)
);

CREATE UNIQUE INDEX project_templates_name_key ON project_templates (company_id, lower(name));

ALTER TABLE project_templates ENABLE ROW LEVEL SECURITY;
ALTER TABLE project_templates FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON project_templates
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
