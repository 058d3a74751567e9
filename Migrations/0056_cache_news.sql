-- The feed by which every instance hears that something it keeps in memory has changed. A row names a topic and the
-- company it changed for, none for all; rows are kept for an hour.
CREATE TABLE cache_news (
    seq        bigint      GENERATED ALWAYS AS IDENTITY,
    topic      text        NOT NULL,
    company_id uuid,
    at         timestamptz NOT NULL DEFAULT now(),
    -- The writing transaction: readers go by it, because numbers of a sequence do not become visible in order.
    xid        xid8        NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT cache_news_pkey PRIMARY KEY (seq)
);

CREATE INDEX cache_news_by_xid ON cache_news (xid);
CREATE INDEX cache_news_by_time ON cache_news (at);
COMMENT ON TABLE cache_news IS 'infinity:local: every instance hears of the changes in all companies';
