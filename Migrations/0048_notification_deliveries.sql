-- How news left the house: one delivery for each notification and channel, each try of it, what was gathered for later,
-- and the addresses that are not to be tried.

-- A person may wish how mails are gathered and leave the rest to others.
ALTER TABLE notification_preferences ALTER COLUMN is_on DROP NOT NULL;

CREATE TABLE notification_digests (
    company_id uuid        NOT NULL,
    id         uuid        NOT NULL,
    user_id    uuid        NOT NULL,
    category   text        NOT NULL,
    state      text        NOT NULL DEFAULT 'open',
    items      integer     NOT NULL DEFAULT 1,
    opens_at   timestamptz NOT NULL DEFAULT now(),
    closes_at  timestamptz NOT NULL,
    closed_at  timestamptz,
    CONSTRAINT notification_digests_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT notification_digests_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT notification_digests_state_known CHECK (state IN ('open', 'closed'))
);

-- One window at a time: two events in the same second find the same one.
CREATE UNIQUE INDEX notification_digests_one_open ON notification_digests (company_id, user_id, category)
    WHERE state = 'open';

CREATE TABLE notification_deliveries (
    company_id      uuid        NOT NULL,
    -- Also the Message-ID of the mail, so that a mail sent twice after a crash can be told as one.
    id              uuid        NOT NULL,
    notification_id uuid        NOT NULL,
    user_id         uuid        NOT NULL,
    category        text        NOT NULL,
    channel         text        NOT NULL,
    state           text        NOT NULL,
    -- Why it is in this state, as a word and as a sentence.
    reason          text        NOT NULL,
    detail          text        NOT NULL,
    -- Each step of the decision, the oldest first.
    trace           jsonb       NOT NULL DEFAULT '[]',
    attempts        integer     NOT NULL DEFAULT 0,
    -- When it is looked at again.
    next_at         timestamptz,
    digest_id       uuid,
    sent_at         timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT notification_deliveries_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT notification_deliveries_once UNIQUE (company_id, notification_id, channel),
    CONSTRAINT notification_deliveries_notification_fkey FOREIGN KEY (company_id, notification_id)
        REFERENCES notifications (company_id, id) ON DELETE CASCADE,
    CONSTRAINT notification_deliveries_channel_known CHECK (channel IN ('email', 'webhook')),
    CONSTRAINT notification_deliveries_state_known CHECK (state IN (
        'deferred', 'gathered', 'sending', 'sent', 'failed', 'suppressed', 'skipped', 'cancelled'))
);

CREATE INDEX notification_deliveries_newest ON notification_deliveries (company_id, created_at DESC, id DESC);
CREATE INDEX notification_deliveries_of_digest ON notification_deliveries (company_id, digest_id)
    WHERE digest_id IS NOT NULL;
-- How many mails a person had of late.
CREATE INDEX notification_deliveries_recent ON notification_deliveries (company_id, user_id, category, created_at)
    WHERE channel = 'email' AND state IN ('sending', 'sent');

CREATE TABLE notification_delivery_attempts (
    company_id  uuid        NOT NULL,
    delivery_id uuid        NOT NULL,
    attempt     integer     NOT NULL,
    outcome     text        NOT NULL,
    -- What the other side said.
    reply       text        NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT notification_delivery_attempts_pkey PRIMARY KEY (company_id, delivery_id, attempt),
    CONSTRAINT notification_delivery_attempts_delivery_fkey FOREIGN KEY (company_id, delivery_id)
        REFERENCES notification_deliveries (company_id, id) ON DELETE CASCADE,
    CONSTRAINT notification_delivery_attempts_outcome_known CHECK (outcome IN ('accepted', 'put_back', 'refused', 'bounced'))
);

-- Addresses that bounced or complained. Only a digest is kept, made with the company's id, and the domain for display.
CREATE TABLE email_suppressions (
    company_id     uuid        NOT NULL,
    id             uuid        NOT NULL,
    address_sha256 bytea       NOT NULL,
    domain         text        NOT NULL,
    reason         text        NOT NULL,
    detail         text,
    created_by     uuid,
    lifted_at      timestamptz,
    lifted_by      uuid,
    created_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT email_suppressions_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT email_suppressions_reason_known CHECK (reason IN ('bounce', 'complaint', 'manual'))
);

CREATE UNIQUE INDEX email_suppressions_one_in_force ON email_suppressions (company_id, address_sha256)
    WHERE lifted_at IS NULL;
CREATE INDEX email_suppressions_newest ON email_suppressions (company_id, created_at DESC, id DESC);

ALTER TABLE notification_digests ENABLE ROW LEVEL SECURITY;
ALTER TABLE notification_digests FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON notification_digests
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

ALTER TABLE notification_deliveries ENABLE ROW LEVEL SECURITY;
ALTER TABLE notification_deliveries FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON notification_deliveries
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

ALTER TABLE notification_delivery_attempts ENABLE ROW LEVEL SECURITY;
ALTER TABLE notification_delivery_attempts FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON notification_delivery_attempts
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

ALTER TABLE email_suppressions ENABLE ROW LEVEL SECURITY;
ALTER TABLE email_suppressions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON email_suppressions
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
