-- What happened around signing in, per person: she reads it herself. Rows are added, never changed.

CREATE TABLE auth_events (
    id         uuid        NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    user_id    uuid        NOT NULL,
    session_id uuid,
    company_id uuid,
    kind       text        NOT NULL,
    address    text        NOT NULL,
    user_agent text        NOT NULL,
    detail     jsonb       NOT NULL DEFAULT '{}',
    request_id text,
    CONSTRAINT auth_events_pkey PRIMARY KEY (id)
);

CREATE INDEX auth_events_of_user ON auth_events (user_id, at DESC, id DESC);

REVOKE UPDATE, DELETE, TRUNCATE ON auth_events FROM infinity_app;
