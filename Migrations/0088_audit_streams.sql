-- Where a company's record of changes is sent as it grows: its own collector of logs.
CREATE TABLE audit_streams (
    company_id       uuid        NOT NULL,
    id               uuid        NOT NULL,
    name             text        NOT NULL,
    url              text        NOT NULL,
    format           text        NOT NULL,
    header_names     text[]      NOT NULL DEFAULT '{}',
    headers_sealed   bytea,
    is_active        boolean     NOT NULL DEFAULT true,
    paused_reason    text,
    -- The last seal that the receiver has taken: what comes after it is still to be sent.
    sent_seq         bigint      NOT NULL DEFAULT 0,
    last_sent_at     timestamptz,
    failures         integer     NOT NULL DEFAULT 0,
    first_failure_at timestamptz,
    last_error       text,
    created_by       uuid,
    version          integer     NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT audit_streams_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT audit_streams_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT audit_streams_format_known CHECK (format IN ('ndjson', 'otlp')),
    CONSTRAINT audit_streams_paused_for_a_reason CHECK (is_active = (paused_reason IS NULL)),
    CONSTRAINT audit_streams_reason_known CHECK (paused_reason IN ('manual', 'failing', 'gone')),
    CONSTRAINT audit_streams_failing_since CHECK ((failures = 0) = (first_failure_at IS NULL))
);

ALTER TABLE audit_streams ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_streams FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON audit_streams
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

-- The active streams of all companies: `due_at` is set when there may be something to send, and taken back when a job
-- is on its way to do so.
CREATE TABLE audit_stream_lanes (
    stream_id  uuid NOT NULL,
    company_id uuid NOT NULL,
    due_at     timestamptz,
    CONSTRAINT audit_stream_lanes_pkey PRIMARY KEY (stream_id)
);

CREATE INDEX audit_stream_lanes_due ON audit_stream_lanes (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX audit_stream_lanes_by_company ON audit_stream_lanes (company_id);

COMMENT ON TABLE audit_stream_lanes IS 'infinity:local: the worker looks over the streams of all companies';
