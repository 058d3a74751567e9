-- Who hears of what, by which way: what a person wants, what the company wants, and what is said.

-- A person's wishes; '*' stands for all categories or all channels. The narrower one wins.
CREATE TABLE notification_preferences (
    company_id uuid        NOT NULL,
    user_id    uuid        NOT NULL,
    category   text        NOT NULL,
    channel    text        NOT NULL,
    is_on      boolean     NOT NULL,
    -- How mails of this category are gathered; NULL leaves it to the rules.
    digest     text,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT notification_preferences_pkey PRIMARY KEY (company_id, user_id, category, channel),
    CONSTRAINT notification_preferences_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT notification_preferences_channel_known CHECK (channel IN ('*', 'in_app', 'email', 'webhook')),
    CONSTRAINT notification_preferences_digest_known CHECK (digest IN ('off', 'hourly', 'daily', 'weekly'))
);

-- The company's: where nobody has said otherwise, or, when locked, whatever anybody has said.
CREATE TABLE notification_defaults (
    company_id uuid        NOT NULL,
    category   text        NOT NULL,
    channel    text        NOT NULL,
    is_on      boolean     NOT NULL,
    is_locked  boolean     NOT NULL DEFAULT false,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT notification_defaults_pkey PRIMARY KEY (company_id, category, channel),
    CONSTRAINT notification_defaults_channel_known CHECK (channel IN ('*', 'in_app', 'email', 'webhook'))
);

-- When a person is not to be disturbed, and when digests come.
CREATE TABLE notification_schedules (
    company_id  uuid        NOT NULL,
    user_id     uuid        NOT NULL,
    time_zone   text        NOT NULL,
    -- [{"days": [1, 2, 3], "from": "22:00", "to": "07:00"}], days as ISO counts them; `to` before `from` is the next day.
    quiet       jsonb       NOT NULL DEFAULT '[]',
    digest_time time        NOT NULL DEFAULT '09:00',
    version     integer     NOT NULL DEFAULT 1,
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT notification_schedules_pkey PRIMARY KEY (company_id, user_id),
    CONSTRAINT notification_schedules_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT notification_schedules_quiet_is_a_list CHECK (jsonb_typeof(quiet) = 'array')
);

CREATE TABLE notification_rules (
    company_id  uuid        NOT NULL,
    id          uuid        NOT NULL,
    name        text        NOT NULL,
    -- `invitation.accepted`, `invitation.*` or `*`.
    event       text        NOT NULL,
    -- Of several rules that fit a person the first decides.
    position    integer     NOT NULL DEFAULT 100,
    is_active   boolean     NOT NULL DEFAULT true,
    -- Whom it is for: people with one of these roles, in one of these relations; empty is everybody.
    roles       text[]      NOT NULL DEFAULT '{}',
    relations   text[]      NOT NULL DEFAULT '{}',
    -- NULL leaves the channels as they are.
    channels    text[],
    -- Who hears of it beside those whom the event names.
    add_roles   text[]      NOT NULL DEFAULT '{}',
    add_users   uuid[]      NOT NULL DEFAULT '{}',
    -- Mails are gathered for so long.
    digest_minutes   integer,
    -- At most so many mails of one category in so many seconds; the rest is gathered.
    throttle_max     integer,
    throttle_seconds integer,
    -- Unread for so long: the next channel, to the same person or to another.
    escalate_minutes integer,
    escalate_channel text,
    escalate_user    uuid,
    version     integer     NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT notification_rules_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT notification_rules_digest_in_bounds CHECK (digest_minutes BETWEEN 1 AND 10080),
    CONSTRAINT notification_rules_throttle_is_whole CHECK ((throttle_max IS NULL) = (throttle_seconds IS NULL)),
    CONSTRAINT notification_rules_escalation_is_whole CHECK ((escalate_minutes IS NULL) = (escalate_channel IS NULL))
);

CREATE INDEX notification_rules_in_order ON notification_rules (company_id, position, id);

-- The company's own words. Versions are kept; one of each is live.
CREATE TABLE notification_templates (
    company_id uuid        NOT NULL,
    id         uuid        NOT NULL,
    type       text        NOT NULL,
    channel    text        NOT NULL,
    locale     text        NOT NULL,
    is_active  boolean     NOT NULL DEFAULT true,
    title      text        NOT NULL,
    body       text        NOT NULL,
    version    integer     NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT notification_templates_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT notification_templates_one_per_place UNIQUE (company_id, type, channel, locale),
    CONSTRAINT notification_templates_channel_known CHECK (channel IN ('in_app', 'email', 'webhook'))
);

CREATE TABLE notification_template_versions (
    company_id  uuid        NOT NULL,
    template_id uuid        NOT NULL,
    version     integer     NOT NULL,
    title       text        NOT NULL,
    body        text        NOT NULL,
    changed_by  uuid,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT notification_template_versions_pkey PRIMARY KEY (company_id, template_id, version),
    CONSTRAINT notification_template_versions_template_fkey FOREIGN KEY (company_id, template_id)
        REFERENCES notification_templates (company_id, id) ON DELETE CASCADE
);

ALTER TABLE notification_preferences ENABLE ROW LEVEL SECURITY;
ALTER TABLE notification_preferences FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON notification_preferences
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

ALTER TABLE notification_defaults ENABLE ROW LEVEL SECURITY;
ALTER TABLE notification_defaults FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON notification_defaults
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

ALTER TABLE notification_schedules ENABLE ROW LEVEL SECURITY;
ALTER TABLE notification_schedules FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON notification_schedules
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

ALTER TABLE notification_rules ENABLE ROW LEVEL SECURITY;
ALTER TABLE notification_rules FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON notification_rules
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

ALTER TABLE notification_templates ENABLE ROW LEVEL SECURITY;
ALTER TABLE notification_templates FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON notification_templates
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

ALTER TABLE notification_template_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE notification_template_versions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON notification_template_versions
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
