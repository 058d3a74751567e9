-- What people say about the things of the company, whichever domain they belong to.

CREATE TABLE comments (
    company_id   uuid        NOT NULL,
    id           uuid        NOT NULL,
    subject_kind text        NOT NULL,
    -- Which table it names depends on the kind, so no foreign key can say it.
    subject_id   uuid        NOT NULL,
    -- The comment that this one answers; it answers none itself.
    parent_id    uuid,
    -- The user; NULL when the person asked to be forgotten.
    author_id    uuid,
    body         text        NOT NULL,
    -- Clients do not see it.
    is_internal  boolean     NOT NULL,
    resolved_at  timestamptz,
    resolved_by  uuid,
    edited_at    timestamptz,
    -- Only what has replies stays here when it is deleted, without its text.
    deleted_at   timestamptz,
    version      integer     NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT comments_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT comments_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT comments_parent_fkey FOREIGN KEY (company_id, parent_id)
        REFERENCES comments (company_id, id) ON DELETE CASCADE,
    CONSTRAINT comments_deleted_is_empty CHECK (deleted_at IS NULL OR body = ''),
    CONSTRAINT comments_threads_are_resolved CHECK (resolved_at IS NULL OR parent_id IS NULL)
);

CREATE INDEX comments_of_subject ON comments (company_id, subject_kind, subject_id, created_at DESC, id DESC);
CREATE INDEX comments_of_thread ON comments (company_id, parent_id, created_at) WHERE parent_id IS NOT NULL;
CREATE INDEX comments_by_author ON comments (author_id) WHERE author_id IS NOT NULL;

-- What a comment said before it was changed.
CREATE TABLE comment_edits (
    company_id uuid        NOT NULL,
    id         uuid        NOT NULL,
    comment_id uuid        NOT NULL,
    edited_by  uuid,
    body       text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT comment_edits_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT comment_edits_comment_fkey FOREIGN KEY (company_id, comment_id)
        REFERENCES comments (company_id, id) ON DELETE CASCADE
);

CREATE INDEX comment_edits_of_comment ON comment_edits (company_id, comment_id, created_at);
CREATE INDEX comment_edits_by_editor ON comment_edits (edited_by) WHERE edited_by IS NOT NULL;

CREATE TABLE comment_mentions (
    company_id uuid NOT NULL,
    comment_id uuid NOT NULL,
    member_id  uuid NOT NULL,
    CONSTRAINT comment_mentions_pkey PRIMARY KEY (company_id, comment_id, member_id),
    CONSTRAINT comment_mentions_comment_fkey FOREIGN KEY (company_id, comment_id)
        REFERENCES comments (company_id, id) ON DELETE CASCADE,
    CONSTRAINT comment_mentions_member_fkey FOREIGN KEY (company_id, member_id)
        REFERENCES memberships (company_id, id) ON DELETE CASCADE
);

CREATE INDEX comment_mentions_of_member ON comment_mentions (company_id, member_id);

CREATE TABLE comment_reactions (
    company_id uuid        NOT NULL,
    comment_id uuid        NOT NULL,
    user_id    uuid        NOT NULL,
    code       text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT comment_reactions_pkey PRIMARY KEY (company_id, comment_id, user_id, code),
    CONSTRAINT comment_reactions_comment_fkey FOREIGN KEY (company_id, comment_id)
        REFERENCES comments (company_id, id) ON DELETE CASCADE
);

CREATE INDEX comment_reactions_by_user ON comment_reactions (user_id);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['comments', 'comment_edits', 'comment_mentions', 'comment_reactions'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format($policy$CREATE POLICY tenant ON %I
            USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
            WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid)$policy$, name);
    END LOOP;
END $$;
