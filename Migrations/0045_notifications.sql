-- What people hear of: the event that was worth telling, and one row of it for each person who was told.

-- The numbers of a person's inbox. Its row is locked by whoever writes to the inbox, so numbers become visible in
-- their order and a reader who has seen 7 has seen everything up to 7. Every instance looks here, over all companies,
-- for news that a NOTIFY did not bring.
CREATE TABLE notification_counters (
    company_id uuid   NOT NULL,
    user_id    uuid   NOT NULL,
    last_seq   bigint NOT NULL DEFAULT 0,
    -- Rises when something in the inbox was read, archived and so on.
    changes    bigint NOT NULL DEFAULT 0,
    -- The writing transaction: readers go by it, because transactions do not end in the order of their numbers.
    xid        xid8   NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT notification_counters_pkey PRIMARY KEY (company_id, user_id)
) WITH (fillfactor = 70);

CREATE INDEX notification_counters_by_xid ON notification_counters (xid);

COMMENT ON TABLE notification_counters IS 'infinity:local: every instance looks for news in all companies';

CREATE TABLE notification_events (
    company_id  uuid        NOT NULL,
    id          uuid        NOT NULL,
    type        text        NOT NULL,
    category    text        NOT NULL,
    object_type text,
    object_id   uuid,
    actor_kind  text        NOT NULL,
    actor_id    uuid,
    -- Telling of one thing twice with the same key tells of it once.
    dedupe_key  text,
    data        jsonb       NOT NULL DEFAULT '{}',
    link        text,
    -- What the sender asked for beside the type's own channels.
    channels    text[],
    -- Nothing that has not gone out yet goes out any more.
    cancelled_at timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT notification_events_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT notification_events_once UNIQUE (company_id, type, dedupe_key),
    CONSTRAINT notification_events_actor_kind_known CHECK (actor_kind IN ('user', 'api_key', 'system'))
);

CREATE INDEX notification_events_newest ON notification_events (company_id, created_at DESC, id DESC);

CREATE TABLE notifications (
    company_id   uuid        NOT NULL,
    id           uuid        NOT NULL,
    user_id      uuid        NOT NULL,
    event_id     uuid        NOT NULL,
    -- Its place in the person's inbox; none when it went by other channels alone.
    seq          bigint,
    type         text        NOT NULL,
    category     text        NOT NULL,
    severity     text        NOT NULL,
    is_critical  boolean     NOT NULL DEFAULT false,
    title        text        NOT NULL,
    body         text        NOT NULL,
    link         text,
    object_type  text,
    object_id    uuid,
    actor_id     uuid,
    -- How the person stands to the matter: owner, assignee, watcher …
    relations    text[]      NOT NULL DEFAULT '{}',
    data         jsonb       NOT NULL DEFAULT '{}',
    -- What can be done about it: [{"key": "approve", "label": "Approve"}].
    actions      jsonb       NOT NULL DEFAULT '[]',
    action_taken text,
    action_at    timestamptz,
    -- Why it is in the inbox, or is not.
    decision     jsonb       NOT NULL DEFAULT '{}',
    seen_at      timestamptz,
    read_at      timestamptz,
    archived_at  timestamptz,
    snoozed_until timestamptz,
    deleted_at   timestamptz,
    -- What was deleted in one go comes back in one go.
    deletion_id  uuid,
    version      integer     NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT notifications_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT notifications_once_per_person UNIQUE (company_id, user_id, event_id),
    CONSTRAINT notifications_seq_is_one UNIQUE (company_id, user_id, seq),
    CONSTRAINT notifications_event_fkey FOREIGN KEY (company_id, event_id)
        REFERENCES notification_events (company_id, id) ON DELETE CASCADE,
    CONSTRAINT notifications_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT notifications_severity_known CHECK (severity IN ('low', 'normal', 'high')),
    CONSTRAINT notifications_read_was_seen CHECK (read_at IS NULL OR seen_at IS NOT NULL)
);

-- What the badge counts; only what is unread stands in it, so it stays small.
CREATE INDEX notifications_unread ON notifications (company_id, user_id)
    INCLUDE (seen_at, category)
    WHERE seq IS NOT NULL AND read_at IS NULL AND archived_at IS NULL AND deleted_at IS NULL
      AND snoozed_until IS NULL;
CREATE INDEX notifications_of_event ON notifications (company_id, event_id);
CREATE INDEX notifications_deletions ON notifications (company_id, user_id, deletion_id)
    WHERE deletion_id IS NOT NULL;

-- Who wants to hear of a thing, whoever else does.
CREATE TABLE notification_watchers (
    company_id  uuid        NOT NULL,
    object_type text        NOT NULL,
    object_id   uuid        NOT NULL,
    user_id     uuid        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT notification_watchers_pkey PRIMARY KEY (company_id, object_type, object_id, user_id),
    CONSTRAINT notification_watchers_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id)
);

CREATE INDEX notification_watchers_by_user ON notification_watchers (company_id, user_id, created_at DESC);

ALTER TABLE notification_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE notification_events FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON notification_events
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

ALTER TABLE notifications ENABLE ROW LEVEL SECURITY;
ALTER TABLE notifications FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON notifications
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

ALTER TABLE notification_watchers ENABLE ROW LEVEL SECURITY;
ALTER TABLE notification_watchers FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON notification_watchers
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
