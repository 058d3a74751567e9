-- A ticket opens one stream, once, for a browser's EventSource, which cannot send a token. Only its digest is kept, for
-- half a minute. It is looked up before it is known which company it is for.

CREATE TABLE notification_stream_tickets (
    ticket_sha256 bytea       NOT NULL,
    company_id    uuid        NOT NULL,
    user_id       uuid        NOT NULL,
    expires_at    timestamptz NOT NULL,
    CONSTRAINT notification_stream_tickets_pkey PRIMARY KEY (ticket_sha256)
);

CREATE INDEX notification_stream_tickets_by_expiry ON notification_stream_tickets (expires_at);

COMMENT ON TABLE notification_stream_tickets IS 'infinity:local: a ticket is looked up before its company is known';
