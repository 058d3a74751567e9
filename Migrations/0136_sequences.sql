-- Letters and tasks that follow each other in time, for each contact who is enrolled, until he answers.

CREATE TABLE sequences (
    company_id     uuid        NOT NULL,
    id             uuid        NOT NULL,
    name           text        NOT NULL,
    description    text,
    -- Enrolments keep the version they began with.
    current        integer     NOT NULL DEFAULT 1,
    is_active      boolean     NOT NULL DEFAULT false,
    -- Events that enrol their contact.
    triggers       text[]      NOT NULL DEFAULT '{}',
    -- Letters of it in a day, over all contacts.
    daily_max      integer     NOT NULL DEFAULT 200,
    -- The hours of a contact's own working day in which letters go out.
    from_hour      integer     NOT NULL DEFAULT 9,
    to_hour        integer     NOT NULL DEFAULT 17,
    created_by     uuid,
    archived_at    timestamptz,
    version        integer     NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT sequences_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT sequences_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT sequences_daily_max_positive CHECK (daily_max > 0),
    CONSTRAINT sequences_hours_in_order CHECK (from_hour >= 0 AND from_hour < to_hour AND to_hour <= 24)
);

CREATE UNIQUE INDEX sequences_name_key ON sequences (company_id, lower(name)) WHERE archived_at IS NULL;

CREATE TABLE sequence_versions (
    company_id  uuid        NOT NULL,
    sequence_id uuid        NOT NULL,
    number      integer     NOT NULL,
    steps       jsonb       NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT sequence_versions_pkey PRIMARY KEY (company_id, sequence_id, number),
    CONSTRAINT sequence_versions_sequence_fkey FOREIGN KEY (company_id, sequence_id)
        REFERENCES sequences (company_id, id) ON DELETE CASCADE
);

CREATE TABLE sequence_enrolments (
    company_id  uuid        NOT NULL,
    id          uuid        NOT NULL,
    sequence_id uuid        NOT NULL,
    number      integer     NOT NULL,
    contact_id  uuid        NOT NULL,
    lead_id     uuid,
    state       text        NOT NULL DEFAULT 'active',
    -- The step that comes next, from 0, and when.
    step        integer     NOT NULL DEFAULT 0,
    due_at      timestamptz NOT NULL,
    stopped_for text,
    enrolled_by uuid,
    ended_at    timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT sequence_enrolments_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT sequence_enrolments_version_fkey FOREIGN KEY (company_id, sequence_id, number)
        REFERENCES sequence_versions (company_id, sequence_id, number) ON DELETE CASCADE,
    CONSTRAINT sequence_enrolments_contact_fkey FOREIGN KEY (company_id, contact_id)
        REFERENCES contacts (company_id, id) ON DELETE CASCADE,
    CONSTRAINT sequence_enrolments_lead_fkey FOREIGN KEY (company_id, lead_id)
        REFERENCES leads (company_id, id) ON DELETE CASCADE,
    CONSTRAINT sequence_enrolments_state_known CHECK (state IN ('active', 'paused', 'finished', 'stopped')),
    CONSTRAINT sequence_enrolments_end_has_time CHECK ((state IN ('finished', 'stopped')) = (ended_at IS NOT NULL))
);

-- Somebody goes through a sequence once at a time.
CREATE UNIQUE INDEX sequence_enrolments_open_key ON sequence_enrolments (company_id, sequence_id, contact_id)
 WHERE state IN ('active', 'paused');
CREATE INDEX sequence_enrolments_due ON sequence_enrolments (company_id, due_at) WHERE state = 'active';
CREATE INDEX sequence_enrolments_by_contact ON sequence_enrolments (company_id, contact_id);
CREATE INDEX sequence_enrolments_in_order ON sequence_enrolments (company_id, sequence_id, created_at, id);

-- A step is taken once for an enrolment, whoever comes to it: the row is written in the transaction of its effect.
CREATE TABLE sequence_steps (
    company_id   uuid        NOT NULL,
    enrolment_id uuid        NOT NULL,
    step         integer     NOT NULL,
    kind         text        NOT NULL,
    sequence_id  uuid        NOT NULL,
    at           timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT sequence_steps_pkey PRIMARY KEY (company_id, enrolment_id, step),
    CONSTRAINT sequence_steps_enrolment_fkey FOREIGN KEY (company_id, enrolment_id)
        REFERENCES sequence_enrolments (company_id, id) ON DELETE CASCADE
);

CREATE INDEX sequence_steps_by_sequence ON sequence_steps (company_id, sequence_id, kind, at);

-- Addresses that want no more letters of any sequence.
CREATE TABLE sequence_optouts (
    company_id uuid        NOT NULL,
    address    text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT sequence_optouts_pkey PRIMARY KEY (company_id, address),
    CONSTRAINT sequence_optouts_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id)
);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'sequences', 'sequence_versions', 'sequence_enrolments', 'sequence_steps', 'sequence_optouts'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format($policy$CREATE POLICY tenant ON %I
            USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
            WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid)$policy$, name);
    END LOOP;
END $$;
