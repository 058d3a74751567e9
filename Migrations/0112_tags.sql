-- Words that a company's things are sorted by. Which thing carries which tag stands with the things, in a table of their
-- own domain.

CREATE TABLE tags (
    company_id  uuid        NOT NULL,
    id          uuid        NOT NULL,
    name        text        NOT NULL,
    color       text,
    description text,
    -- The kinds of things it is offered for; NULL for all.
    kinds       text[],
    version     integer     NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT tags_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT tags_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT tags_color_is_hex CHECK (color ~ '^#[0-9a-f]{6}$')
);

CREATE UNIQUE INDEX tags_name_key ON tags (company_id, lower(name));

ALTER TABLE tags ENABLE ROW LEVEL SECURITY;
ALTER TABLE tags FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON tags
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
