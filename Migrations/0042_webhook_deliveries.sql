-- What is still to be delivered: small, hot tables of the whole installation, as the deliverer serves all companies.

-- One row per endpoint. An instance takes a whole lane: while it has it, nobody else delivers to this endpoint, so that
-- the limits of deliveries at once and per second hold over all instances.
CREATE TABLE webhook_lanes (
    endpoint_id      uuid    NOT NULL,
    company_id       uuid    NOT NULL,
    -- When somebody should look at it: the first delivery is due or, while the lane is taken, the holder's lease is
    -- over. NULL while there is nothing to deliver.
    due_at           timestamptz,
    holder           uuid,
    -- Rises with every holder, so that one who lost the lane cannot write as if he still had it.
    fence            bigint  NOT NULL DEFAULT 0,
    -- Of the failures since the last success.
    first_failure_at timestamptz,
    -- How often in a row the receiver was too busy: each doubles the pause before the next delivery.
    slow_steps       integer NOT NULL DEFAULT 0,
    -- Not before then: the receiver asked for a pause, or was too busy.
    hold_until       timestamptz,
    CONSTRAINT webhook_lanes_pkey PRIMARY KEY (endpoint_id)
) WITH (fillfactor = 50);

CREATE INDEX webhook_lanes_due ON webhook_lanes (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE webhook_deliveries (
    endpoint_id uuid        NOT NULL,
    message_id  uuid        NOT NULL,
    slot        smallint    NOT NULL,
    company_id  uuid        NOT NULL,
    due_at      timestamptz NOT NULL,
    cause       text        NOT NULL,
    -- Tries of the present schedule.
    tries       integer     NOT NULL DEFAULT 0,
    -- Attempts in the log, those of earlier schedules too.
    attempts    integer     NOT NULL DEFAULT 0,
    CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (endpoint_id, message_id),
    CONSTRAINT webhook_deliveries_cause_known CHECK (cause IN ('event', 'resend', 'recovery', 'test'))
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000,
        autovacuum_analyze_scale_factor = 0.1);

CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint_id, due_at, message_id);

COMMENT ON TABLE webhook_lanes IS 'infinity:local: the deliverer serves the endpoints of all companies';
COMMENT ON TABLE webhook_deliveries IS 'infinity:local: the deliverer serves the endpoints of all companies';
