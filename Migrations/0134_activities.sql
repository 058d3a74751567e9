-- What happened with clients, people, leads and deals, and what is planned to: calls, meetings, e-mails and notes.

CREATE TABLE activities (
    company_id       uuid        NOT NULL,
    id               uuid        NOT NULL,
    kind             text        NOT NULL,
    direction        text,
    title            text        NOT NULL,
    body             text,
    -- When it happened; while it is still planned, when it is due. Timelines are in its order.
    at               timestamptz NOT NULL,
    due_at           timestamptz,
    ends_at          timestamptz,
    completed_at     timestamptz,
    duration_seconds integer,
    outcome          text,
    -- People from outside, by name, as they stood in the meeting or on the line.
    participants     text[]      NOT NULL DEFAULT '{}',
    from_address     text,
    to_addresses     text[]      NOT NULL DEFAULT '{}',
    owner_id         uuid,
    created_by       uuid,
    -- Where it was logged from; what is logged twice under one id of there is one activity.
    source           text        NOT NULL DEFAULT 'manual',
    external_id      text,
    pinned_at        timestamptz,
    edited_at        timestamptz,
    remind_at        timestamptz,
    -- The moments that were told of: another moment is told of again.
    reminded_for     timestamptz,
    overdue_told_for timestamptz,
    deleted_at       timestamptz,
    version          integer     NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT activities_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT activities_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT activities_owner_fkey FOREIGN KEY (company_id, owner_id) REFERENCES memberships (company_id, id),
    CONSTRAINT activities_kind_known CHECK (kind IN ('call', 'meeting', 'email', 'note', 'system')),
    CONSTRAINT activities_direction_known CHECK (direction IN ('in', 'out')),
    CONSTRAINT activities_open_is_due CHECK (completed_at IS NOT NULL OR due_at IS NOT NULL),
    CONSTRAINT activities_ends_after_start CHECK (ends_at >= at),
    CONSTRAINT activities_duration_not_negative CHECK (duration_seconds >= 0)
);

CREATE UNIQUE INDEX activities_external_key ON activities (company_id, source, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX activities_by_time ON activities (company_id, at, id) WHERE deleted_at IS NULL;
CREATE INDEX activities_by_owner ON activities (company_id, owner_id, at, id) WHERE deleted_at IS NULL;
CREATE INDEX activities_by_author ON activities (company_id, created_by, at, id) WHERE deleted_at IS NULL;
CREATE INDEX activities_open ON activities (company_id, due_at, id) WHERE completed_at IS NULL AND deleted_at IS NULL;
CREATE INDEX activities_reminders ON activities (company_id, remind_at)
 WHERE remind_at IS NOT NULL AND completed_at IS NULL AND deleted_at IS NULL;
CREATE INDEX activities_in_trash ON activities (company_id, deleted_at) WHERE deleted_at IS NOT NULL;

-- Whose timelines an activity stands in; its time is copied, so that each of them is read in order.
CREATE TABLE activity_links (
    company_id  uuid        NOT NULL,
    activity_id uuid        NOT NULL,
    id          uuid        NOT NULL,
    client_id   uuid,
    contact_id  uuid,
    lead_id     uuid,
    deal_id     uuid,
    at          timestamptz NOT NULL,
    CONSTRAINT activity_links_pkey PRIMARY KEY (company_id, activity_id, id),
    CONSTRAINT activity_links_activity_fkey FOREIGN KEY (company_id, activity_id)
        REFERENCES activities (company_id, id) ON DELETE CASCADE,
    CONSTRAINT activity_links_client_fkey FOREIGN KEY (company_id, client_id)
        REFERENCES clients (company_id, id) ON DELETE CASCADE,
    CONSTRAINT activity_links_contact_fkey FOREIGN KEY (company_id, contact_id)
        REFERENCES contacts (company_id, id) ON DELETE CASCADE,
    CONSTRAINT activity_links_lead_fkey FOREIGN KEY (company_id, lead_id)
        REFERENCES leads (company_id, id) ON DELETE CASCADE,
    CONSTRAINT activity_links_deal_fkey FOREIGN KEY (company_id, deal_id)
        REFERENCES deals (company_id, id) ON DELETE CASCADE,
    CONSTRAINT activity_links_one_record CHECK (num_nonnulls(client_id, contact_id, lead_id, deal_id) = 1)
);

CREATE UNIQUE INDEX activity_links_client_key ON activity_links (company_id, client_id, at, activity_id) WHERE client_id IS NOT NULL;
CREATE UNIQUE INDEX activity_links_contact_key ON activity_links (company_id, contact_id, at, activity_id) WHERE contact_id IS NOT NULL;
CREATE UNIQUE INDEX activity_links_lead_key ON activity_links (company_id, lead_id, at, activity_id) WHERE lead_id IS NOT NULL;
CREATE UNIQUE INDEX activity_links_deal_key ON activity_links (company_id, deal_id, at, activity_id) WHERE deal_id IS NOT NULL;

-- What a note said before it was changed.
CREATE TABLE activity_edits (
    company_id  uuid        NOT NULL,
    activity_id uuid        NOT NULL,
    id          uuid        NOT NULL,
    member_id   uuid,
    title       text        NOT NULL,
    body        text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT activity_edits_pkey PRIMARY KEY (company_id, activity_id, id),
    CONSTRAINT activity_edits_activity_fkey FOREIGN KEY (company_id, activity_id)
        REFERENCES activities (company_id, id) ON DELETE CASCADE
);

-- Which tasks of projects are about which record.
CREATE TABLE crm_task_links (
    company_id uuid        NOT NULL,
    task_id    uuid        NOT NULL,
    id         uuid        NOT NULL,
    client_id  uuid,
    contact_id uuid,
    lead_id    uuid,
    deal_id    uuid,
    created_by uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT crm_task_links_pkey PRIMARY KEY (company_id, task_id, id),
    CONSTRAINT crm_task_links_task_fkey FOREIGN KEY (company_id, task_id)
        REFERENCES tasks (company_id, id) ON DELETE CASCADE,
    CONSTRAINT crm_task_links_client_fkey FOREIGN KEY (company_id, client_id)
        REFERENCES clients (company_id, id) ON DELETE CASCADE,
    CONSTRAINT crm_task_links_contact_fkey FOREIGN KEY (company_id, contact_id)
        REFERENCES contacts (company_id, id) ON DELETE CASCADE,
    CONSTRAINT crm_task_links_lead_fkey FOREIGN KEY (company_id, lead_id)
        REFERENCES leads (company_id, id) ON DELETE CASCADE,
    CONSTRAINT crm_task_links_deal_fkey FOREIGN KEY (company_id, deal_id)
        REFERENCES deals (company_id, id) ON DELETE CASCADE,
    CONSTRAINT crm_task_links_one_record CHECK (num_nonnulls(client_id, contact_id, lead_id, deal_id) = 1)
);

CREATE UNIQUE INDEX crm_task_links_client_key ON crm_task_links (company_id, client_id, task_id) WHERE client_id IS NOT NULL;
CREATE UNIQUE INDEX crm_task_links_contact_key ON crm_task_links (company_id, contact_id, task_id) WHERE contact_id IS NOT NULL;
CREATE UNIQUE INDEX crm_task_links_lead_key ON crm_task_links (company_id, lead_id, task_id) WHERE lead_id IS NOT NULL;
CREATE UNIQUE INDEX crm_task_links_deal_key ON crm_task_links (company_id, deal_id, task_id) WHERE deal_id IS NOT NULL;

-- When something is next due in the activities and sequences of a company.
CREATE TABLE activity_upkeep (
    company_id uuid        NOT NULL,
    due_at     timestamptz NOT NULL,
    CONSTRAINT activity_upkeep_pkey PRIMARY KEY (company_id)
);
CREATE INDEX activity_upkeep_due ON activity_upkeep (due_at);

COMMENT ON TABLE activity_upkeep IS 'infinity:local: the worker finds the companies in which something is due';

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['activities', 'activity_links', 'activity_edits', 'crm_task_links'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format($policy$CREATE POLICY tenant ON %I
            USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
            WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid)$policy$, name);
    END LOOP;
END $$;
