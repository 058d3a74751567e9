-- What leads need beside their ground: the key by which another system knows them, the country by which they are dealt
-- out, the rule and the promise they stand under, their tags, and the ways by which people came.

ALTER TABLE leads
    ADD COLUMN external_id     text,
    -- Two letters of ISO 3166.
    ADD COLUMN country         text,
    ADD COLUMN rule_id         uuid,
    ADD COLUMN sla_policy_id   uuid,
    ADD COLUMN sla_breached_at timestamptz,
    ADD COLUMN escalated_at    timestamptz;

ALTER TABLE leads
    ADD CONSTRAINT leads_country_form CHECK (country ~ '^[A-Z]{2}$');

CREATE UNIQUE INDEX leads_external_id_key ON leads (company_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX leads_by_score ON leads (company_id, score, id) WHERE deleted_at IS NULL;
-- A lead without a promise comes after all that have one.
CREATE INDEX leads_by_promise
    ON leads (company_id, coalesce(sla_due_at, timestamptz '9999-12-31 00:00:00+00'), id) WHERE deleted_at IS NULL;
CREATE INDEX leads_waiting ON leads (company_id, sla_due_at)
    WHERE sla_due_at IS NOT NULL AND first_response_at IS NULL AND sla_breached_at IS NULL AND deleted_at IS NULL;
CREATE INDEX leads_open_by_owner ON leads (company_id, owner_id)
    WHERE status IN ('new', 'working', 'qualified') AND deleted_at IS NULL AND archived_at IS NULL;
CREATE INDEX leads_in_trash ON leads (company_id, deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE lead_tags (
    company_id uuid NOT NULL,
    lead_id    uuid NOT NULL,
    tag_id     uuid NOT NULL,
    CONSTRAINT lead_tags_pkey PRIMARY KEY (company_id, lead_id, tag_id),
    CONSTRAINT lead_tags_lead_fkey FOREIGN KEY (company_id, lead_id) REFERENCES leads (company_id, id) ON DELETE CASCADE,
    CONSTRAINT lead_tags_tag_fkey FOREIGN KEY (company_id, tag_id) REFERENCES tags (company_id, id) ON DELETE CASCADE
);

CREATE INDEX lead_tags_by_tag ON lead_tags (company_id, tag_id);

-- Each way by which somebody came to us; the first and the last of them are credited.
CREATE TABLE touches (
    company_id uuid        NOT NULL,
    id         uuid        NOT NULL,
    contact_id uuid        NOT NULL,
    lead_id    uuid,
    channel    text        NOT NULL,
    source_id  uuid,
    campaign   text,
    utm        jsonb       NOT NULL DEFAULT '{}',
    page       text,
    referrer   text,
    at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT touches_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT touches_contact_fkey FOREIGN KEY (company_id, contact_id)
        REFERENCES contacts (company_id, id) ON DELETE CASCADE,
    CONSTRAINT touches_lead_fkey FOREIGN KEY (company_id, lead_id) REFERENCES leads (company_id, id) ON DELETE CASCADE,
    CONSTRAINT touches_source_fkey FOREIGN KEY (company_id, source_id) REFERENCES lead_sources (company_id, id)
);

CREATE INDEX touches_by_contact ON touches (company_id, contact_id, at, id);
CREATE INDEX touches_by_lead ON touches (company_id, lead_id) WHERE lead_id IS NOT NULL;
CREATE INDEX touches_by_source ON touches (company_id, source_id, at) WHERE source_id IS NOT NULL;

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['lead_tags', 'touches'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format($policy$CREATE POLICY tenant ON %I
            USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
            WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid)$policy$, name);
    END LOOP;
END $$;
