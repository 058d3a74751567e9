-- Tasks are found by the index that all domains share: what was kept with each of them for the search alone goes.

ALTER TABLE tasks DROP COLUMN search;

-- What has been there before is put into the index piece by piece, up to this thing of each company so far.
CREATE TABLE search_fills (
    company_id uuid NOT NULL,
    kind       text NOT NULL,
    filled_to  uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    CONSTRAINT search_fills_pkey PRIMARY KEY (company_id, kind)
);
COMMENT ON TABLE search_fills IS 'infinity:local: the worker finds the companies whose things are not in the index yet';

-- Every company with a task is listed there.
INSERT INTO search_fills (company_id, kind) SELECT company_id, 'task' FROM task_upkeep;
