-- Work that waits in the database for whichever instance is free: mail to be sent, and the leases by which one
-- instance at a time does what must not be done twice. Both are plain tables of the whole installation: the
-- company is a column for display, never a boundary, because the worker serves all companies.

CREATE TABLE mail_queue (
    id              uuid        NOT NULL,
    company_id      uuid,
    -- Asking twice with one key queues one mail.
    once_key        text,
    template        text        NOT NULL,
    locale          text        NOT NULL,
    to_address      text        NOT NULL,
    to_name         text,
    -- What the template fills in. Links in it are secrets: they are wiped once the mail has gone out.
    context         jsonb       NOT NULL,
    state           text        NOT NULL DEFAULT 'queued',
    attempts        integer     NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    -- While a worker has it in hand; past this time another may take it.
    held_until      timestamptz,
    last_error      text,
    sent_at         timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT mail_queue_pkey PRIMARY KEY (id),
    CONSTRAINT mail_queue_once_key_key UNIQUE (once_key),
    CONSTRAINT mail_queue_state_known CHECK (state IN ('queued', 'sending', 'sent', 'dead')),
    CONSTRAINT mail_queue_attempts_not_negative CHECK (attempts >= 0)
);

CREATE INDEX mail_queue_due ON mail_queue (next_attempt_at) WHERE state IN ('queued', 'sending');
CREATE INDEX mail_queue_newest ON mail_queue (created_at DESC, id DESC);

CREATE TABLE worker_leases (
    name       text        NOT NULL,
    due_at     timestamptz NOT NULL DEFAULT now(),
    held_until timestamptz,
    -- Rises with every holder, so that one who lost the lease cannot write as if he still had it.
    fence      bigint      NOT NULL DEFAULT 0,
    CONSTRAINT worker_leases_pkey PRIMARY KEY (name)
);
