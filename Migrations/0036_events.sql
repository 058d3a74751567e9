-- What happened, recorded in the transaction that made it happen, and handed on afterwards to those who react.

CREATE TABLE outbox (
    seq          bigint      GENERATED ALWAYS AS IDENTITY,
    id           uuid        NOT NULL,
    company_id   uuid        NOT NULL,
    type         text        NOT NULL,
    at           timestamptz NOT NULL DEFAULT now(),
    actor_kind   text        NOT NULL,
    actor_id     uuid,
    subject_type text        NOT NULL,
    subject_id   uuid        NOT NULL,
    data         jsonb       NOT NULL,
    -- The writing transaction. Numbers of a sequence do not become visible in order: an event is handed on only once
    -- every transaction as old as its own has ended.
    xid          xid8        NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT outbox_pkey PRIMARY KEY (seq)
) WITH (autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 10000);

CREATE INDEX outbox_by_xid ON outbox (xid);
CREATE INDEX outbox_by_company ON outbox (company_id, id);
CREATE INDEX outbox_by_time ON outbox (at);

COMMENT ON TABLE outbox IS 'infinity:local: events of all companies are handed on together';

-- How far each reaction has been given its events: all of transactions before the mark.
CREATE TABLE reactions (
    name       text        NOT NULL,
    mark       xid8        NOT NULL,
    is_paused  boolean     NOT NULL DEFAULT false,
    started_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT reactions_pkey PRIMARY KEY (name)
);

-- What each reaction still has to do. The row goes in the transaction of the reaction's own effect, which makes it
-- happen once. The position is the order; the writer holds the reaction's row, so positions become visible in order.
CREATE TABLE reactions_due (
    reaction   text        NOT NULL,
    company_id uuid        NOT NULL,
    position   bigint      GENERATED ALWAYS AS IDENTITY,
    seq        bigint      NOT NULL,
    attempt    integer     NOT NULL DEFAULT 0,
    due_at     timestamptz NOT NULL DEFAULT now(),
    -- Given up: it no longer holds up what comes after it.
    dead_at    timestamptz,
    errors     jsonb       NOT NULL DEFAULT '[]',
    CONSTRAINT reactions_due_pkey PRIMARY KEY (position),
    CONSTRAINT reactions_due_reaction_fkey FOREIGN KEY (reaction) REFERENCES reactions (name)
) WITH (
    autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
    autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000, autovacuum_vacuum_cost_delay = 0
);

CREATE INDEX reactions_due_in_order ON reactions_due (reaction, company_id, position) WHERE dead_at IS NULL;
CREATE INDEX reactions_due_dead ON reactions_due (company_id, position) WHERE dead_at IS NOT NULL;
CREATE INDEX reactions_due_by_seq ON reactions_due (seq);

COMMENT ON TABLE reactions_due IS 'infinity:local: events of all companies are handed on together';
