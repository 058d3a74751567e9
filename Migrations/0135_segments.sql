-- Audiences: records that a filter, other segments or a list name; as they are now, or as they were when it was frozen.

CREATE TABLE crm_segments (
    company_id   uuid        NOT NULL,
    id           uuid        NOT NULL,
    kind         text        NOT NULL,
    name         text        NOT NULL,
    description  text,
    -- Of the list of that kind; NULL asks for nothing by itself.
    filter       jsonb,
    all_of       uuid[]      NOT NULL DEFAULT '{}',
    any_of       uuid[]      NOT NULL DEFAULT '{}',
    none_of      uuid[]      NOT NULL DEFAULT '{}',
    -- Records by name, whatever the rest says.
    include_ids  uuid[]      NOT NULL DEFAULT '{}',
    exclude_ids  uuid[]      NOT NULL DEFAULT '{}',
    frozen_at    timestamptz,
    frozen_count integer,
    created_by   uuid,
    version      integer     NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT crm_segments_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT crm_segments_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT crm_segments_kind_known CHECK (kind IN ('client', 'contact', 'lead', 'deal')),
    CONSTRAINT crm_segments_frozen_is_counted CHECK ((frozen_at IS NULL) = (frozen_count IS NULL))
);

CREATE UNIQUE INDEX crm_segments_name_key ON crm_segments (company_id, kind, lower(name));

-- Who was in a segment when it was frozen. Which table a record is in depends on the kind, so no foreign key says it.
CREATE TABLE crm_segment_members (
    company_id uuid NOT NULL,
    segment_id uuid NOT NULL,
    record_id  uuid NOT NULL,
    CONSTRAINT crm_segment_members_pkey PRIMARY KEY (company_id, segment_id, record_id),
    CONSTRAINT crm_segment_members_segment_fkey FOREIGN KEY (company_id, segment_id)
        REFERENCES crm_segments (company_id, id) ON DELETE CASCADE
);

CREATE INDEX crm_segment_members_by_record ON crm_segment_members (company_id, record_id);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['crm_segments', 'crm_segment_members'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format($policy$CREATE POLICY tenant ON %I
            USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
            WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid)$policy$, name);
    END LOOP;
END $$;
