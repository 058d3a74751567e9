-- Who did what, and whose rights have changed.

-- One row per act, written in the transaction of the act. The application may add and read, never change or take
-- away: the grants below leave it no way to.
CREATE TABLE audit_log (
    company_id   uuid        NOT NULL,
    id           uuid        NOT NULL,
    at           timestamptz NOT NULL DEFAULT now(),
    actor_kind   text        NOT NULL,
    actor_id     uuid,
    -- The person behind the act when somebody acted in another's name.
    behind_id    uuid,
    action       text        NOT NULL,
    target_type  text        NOT NULL,
    target_id    uuid,
    -- Only the fields that changed, before and after.
    before       jsonb,
    after        jsonb,
    address      text,
    request_id   text,
    CONSTRAINT audit_log_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT audit_log_actor_kind_known CHECK (actor_kind IN ('user', 'api_key', 'system'))
);

CREATE INDEX audit_log_newest ON audit_log (company_id, at DESC, id DESC);
CREATE INDEX audit_log_by_actor ON audit_log (company_id, actor_id, at DESC, id DESC);
CREATE INDEX audit_log_by_target ON audit_log (company_id, target_type, target_id, at DESC);

ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_log FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON audit_log
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

REVOKE UPDATE, DELETE, TRUNCATE ON audit_log FROM infinity_app;

-- The feed by which every instance hears that a cached right is no longer to be trusted. A row names a user, a
-- company or the pair; it is kept for an hour.
CREATE TABLE access_changes (
    seq        bigint      GENERATED ALWAYS AS IDENTITY,
    user_id    uuid,
    company_id uuid,
    at         timestamptz NOT NULL DEFAULT now(),
    -- The writing transaction: readers go by it, because numbers of a sequence do not become visible in order.
    xid        xid8        NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT access_changes_pkey PRIMARY KEY (seq),
    CONSTRAINT access_changes_names_somebody CHECK (user_id IS NOT NULL OR company_id IS NOT NULL)
);

CREATE INDEX access_changes_by_xid ON access_changes (xid);
CREATE INDEX access_changes_by_time ON access_changes (at);
