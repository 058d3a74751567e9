-- The origins of web pages that companies let call the API. A browser asks beforehand, without a token: which company is
-- meant is not known then, so every instance holds the whole list in memory.

CREATE TABLE web_origins (
    of_company uuid        NOT NULL,
    origin     text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT web_origins_pkey PRIMARY KEY (of_company, origin)
);

COMMENT ON TABLE web_origins IS 'infinity:local: read over all companies, before it is known which one is meant';
