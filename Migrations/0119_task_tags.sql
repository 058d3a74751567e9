-- Which task carries which tag.

CREATE TABLE task_tags (
    company_id uuid NOT NULL,
    task_id    uuid NOT NULL,
    tag_id     uuid NOT NULL,
    CONSTRAINT task_tags_pkey PRIMARY KEY (company_id, task_id, tag_id),
    CONSTRAINT task_tags_task_fkey FOREIGN KEY (company_id, task_id) REFERENCES tasks (company_id, id) ON DELETE CASCADE,
    CONSTRAINT task_tags_tag_fkey FOREIGN KEY (company_id, tag_id) REFERENCES tags (company_id, id) ON DELETE CASCADE
);

CREATE INDEX task_tags_by_tag ON task_tags (company_id, tag_id, task_id);

ALTER TABLE task_tags ENABLE ROW LEVEL SECURITY;
ALTER TABLE task_tags FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON task_tags
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
