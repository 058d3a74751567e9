-- The words of a company's things, for every domain that lets its things be searched.
--
-- A plain table with plain indexes: equality and ranges of text are leakproof, so that they are looked up in an index under
-- row-level security, which `@@` of a full text search never is. COLLATE "C" makes the beginning of a word a range.

CREATE TABLE search_uses (
    company_id uuid     NOT NULL,
    -- As subjects are called: 'task'.
    kind       text     NOT NULL COLLATE "C",
    word       text     NOT NULL COLLATE "C",
    subject_id uuid     NOT NULL,
    -- What a find is worth: more in a title than in what stands below it.
    weight     smallint NOT NULL,
    CONSTRAINT search_uses_pkey PRIMARY KEY (company_id, kind, word, subject_id) INCLUDE (weight)
);
CREATE INDEX search_uses_by_subject ON search_uses (company_id, kind, subject_id);

-- The different words of a company. Two who bring a new word at once both write it, each under his own draw, so that nobody
-- waits for another's transaction; upkeep leaves one of them.
CREATE TABLE search_words (
    company_id uuid    NOT NULL,
    word       text    NOT NULL COLLATE "C",
    draw       integer NOT NULL,
    CONSTRAINT search_words_pkey PRIMARY KEY (company_id, word, draw)
);

-- Each word with one of its letters left out: two words that differ by one slip have such a form in common.
CREATE TABLE search_variants (
    company_id uuid    NOT NULL,
    variant    text    NOT NULL COLLATE "C",
    word       text    NOT NULL COLLATE "C",
    draw       integer NOT NULL,
    CONSTRAINT search_variants_pkey PRIMARY KEY (company_id, variant, word, draw)
);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['search_uses', 'search_words', 'search_variants'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format($policy$CREATE POLICY tenant ON %I
            USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
            WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid)$policy$, name);
    END LOOP;
END $$;

-- When a company's dictionary is next freed of words that nothing uses any more.
CREATE TABLE search_upkeep (
    company_id uuid        NOT NULL,
    due_at     timestamptz NOT NULL,
    CONSTRAINT search_upkeep_pkey PRIMARY KEY (company_id)
);
CREATE INDEX search_upkeep_due ON search_upkeep (due_at);
COMMENT ON TABLE search_upkeep IS 'infinity:local: the worker finds the companies whose dictionary is to be looked through';
