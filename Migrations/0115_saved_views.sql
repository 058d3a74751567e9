-- Lists as somebody likes to see them: what is in them, how they are sorted, grouped and shown.

CREATE TABLE saved_views (
    company_id uuid        NOT NULL,
    id         uuid        NOT NULL,
    kind       text        NOT NULL,
    -- The part of the company it is of, as a project; NULL for the whole.
    scope_id   uuid,
    name       text        NOT NULL,
    member_id  uuid        NOT NULL,
    is_shared  boolean     NOT NULL,
    layout     text        NOT NULL,
    filter     jsonb       NOT NULL,
    sort       text,
    group_by   text,
    columns    text[]      NOT NULL,
    position   integer     NOT NULL,
    version    integer     NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT saved_views_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT saved_views_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT saved_views_member_fkey FOREIGN KEY (company_id, member_id) REFERENCES memberships (company_id, id),
    CONSTRAINT saved_views_layout_known CHECK (layout IN ('list', 'board', 'calendar', 'timeline', 'table'))
);

CREATE INDEX saved_views_of_kind ON saved_views (company_id, kind, position);
CREATE INDEX saved_views_of_member ON saved_views (company_id, member_id);

-- What somebody has at hand, and what a list opens with.
CREATE TABLE saved_view_choices (
    company_id   uuid    NOT NULL,
    member_id    uuid    NOT NULL,
    view_id      uuid    NOT NULL,
    is_favourite boolean NOT NULL DEFAULT false,
    is_default   boolean NOT NULL DEFAULT false,
    CONSTRAINT saved_view_choices_pkey PRIMARY KEY (company_id, member_id, view_id),
    CONSTRAINT saved_view_choices_view_fkey FOREIGN KEY (company_id, view_id)
        REFERENCES saved_views (company_id, id) ON DELETE CASCADE,
    CONSTRAINT saved_view_choices_member_fkey FOREIGN KEY (company_id, member_id)
        REFERENCES memberships (company_id, id) ON DELETE CASCADE
);

CREATE INDEX saved_view_choices_of_view ON saved_view_choices (company_id, view_id);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['saved_views', 'saved_view_choices'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format($policy$CREATE POLICY tenant ON %I
            USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
            WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid)$policy$, name);
    END LOOP;
END $$;
