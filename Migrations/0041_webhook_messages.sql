-- What is sent, and what became of it. A message is one event as the outside world may read it; an attempt is one try
-- to hand it to one endpoint.
--
-- Both tables are rings of four months: `slot` is the month of the message's identifier (a UUIDv7 carries its time)
-- modulo 4. The slot of next month is emptied by TRUNCATE before it is written again, so that old rows cost nothing to
-- take away and nobody has to make partitions at run time. A message is kept for at least two whole months.

CREATE TABLE webhook_messages (
    company_id  uuid        NOT NULL,
    -- That of the event it tells of, so that none can be told twice.
    id          uuid        NOT NULL,
    slot        smallint    NOT NULL,
    -- Its place in the company's feed, without gaps; an example sent to try an endpoint out has none.
    position    bigint,
    type        text        NOT NULL,
    channels    text[]      NOT NULL,
    data        json        NOT NULL,
    occurred_at timestamptz NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT webhook_messages_pkey PRIMARY KEY (company_id, id, slot),
    CONSTRAINT webhook_messages_slot_in_ring CHECK (slot BETWEEN 0 AND 3)
) PARTITION BY LIST (slot);

CREATE INDEX webhook_messages_feed ON webhook_messages (company_id, position) WHERE position IS NOT NULL;

CREATE TABLE webhook_attempts (
    company_id  uuid        NOT NULL,
    message_id  uuid        NOT NULL,
    endpoint_id uuid        NOT NULL,
    -- 1 for the first try to hand this message to this endpoint.
    number      integer     NOT NULL,
    -- The slot of the message, so that both go together.
    slot        smallint    NOT NULL,
    id          uuid        NOT NULL,
    at          timestamptz NOT NULL,
    cause       text        NOT NULL,
    outcome     text        NOT NULL,
    status      integer,
    error       text,
    duration_ms integer     NOT NULL,
    -- The first kilobyte of what the receiver answered.
    response    text        NOT NULL,
    next_try_at timestamptz,
    CONSTRAINT webhook_attempts_pkey PRIMARY KEY (company_id, message_id, endpoint_id, number, slot),
    CONSTRAINT webhook_attempts_slot_in_ring CHECK (slot BETWEEN 0 AND 3),
    CONSTRAINT webhook_attempts_number_positive CHECK (number > 0),
    CONSTRAINT webhook_attempts_cause_known CHECK (cause IN ('event', 'resend', 'recovery', 'test')),
    CONSTRAINT webhook_attempts_outcome_known CHECK (outcome IN ('delivered', 'retry', 'given_up')),
    CONSTRAINT webhook_attempts_retry_has_a_time CHECK ((outcome = 'retry') = (next_try_at IS NOT NULL))
) PARTITION BY LIST (slot);

CREATE INDEX webhook_attempts_by_endpoint ON webhook_attempts (company_id, endpoint_id, id);

-- The last place given out in each company's feed: the row that is updated decides the order.
CREATE TABLE webhook_feeds (
    company_id uuid   NOT NULL,
    position   bigint NOT NULL,
    CONSTRAINT webhook_feeds_pkey PRIMARY KEY (company_id),
    CONSTRAINT webhook_feeds_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id)
);

ALTER TABLE webhook_messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_messages FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON webhook_messages
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

ALTER TABLE webhook_attempts ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_attempts FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON webhook_attempts
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

ALTER TABLE webhook_feeds ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_feeds FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON webhook_feeds
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

-- The parts of the rings. Each has its own policy, since naming a part passes by that of the whole.
DO $$
DECLARE
    whole text;
    part  text;
BEGIN
    FOREACH whole IN ARRAY ARRAY['webhook_messages', 'webhook_attempts'] LOOP
        FOR slot IN 0..3 LOOP
            part := whole || '_' || slot;
            EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES IN (%s)', part, whole, slot);
            EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', part);
            EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', part);
            EXECUTE format(
                'CREATE POLICY tenant ON %I'
                ' USING (company_id = nullif(current_setting(''app.company_id'', true), '''')::uuid)'
                ' WITH CHECK (company_id = nullif(current_setting(''app.company_id'', true), '''')::uuid)', part);
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'infinity_app') THEN
                EXECUTE format('GRANT TRUNCATE ON %I TO infinity_app', part);
            END IF;
        END LOOP;
    END LOOP;
END
$$;
