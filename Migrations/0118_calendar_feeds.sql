-- Secret addresses under which calendar programs read what a member has to do.

CREATE TABLE calendar_feeds (
    company_id   uuid        NOT NULL,
    id           uuid        NOT NULL,
    user_id      uuid        NOT NULL,
    name         text        NOT NULL,
    -- The address holds the token; here is only what it is recognised by.
    token_sha256 bytea       NOT NULL,
    -- The kinds of things in it; NULL for all.
    kinds        text[],
    is_mine_only boolean     NOT NULL,
    last_used_at timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT calendar_feeds_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT calendar_feeds_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT calendar_feeds_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id)
);

CREATE UNIQUE INDEX calendar_feeds_token_key ON calendar_feeds (company_id, token_sha256);
CREATE INDEX calendar_feeds_of_user ON calendar_feeds (user_id);

ALTER TABLE calendar_feeds ENABLE ROW LEVEL SECURITY;
ALTER TABLE calendar_feeds FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON calendar_feeds
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
