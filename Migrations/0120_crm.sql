-- Clients, the people at them, what they may become (leads and deals), and the way they go through a pipeline.

CREATE TABLE clients (
    company_id  uuid        NOT NULL,
    id          uuid        NOT NULL,
    name        text        NOT NULL,
    -- The host of its site in lower case without www.: what tells two clients of one name apart.
    domain_norm text,
    website     text,
    phone       text,
    industry    text,
    employees   integer,
    description text,
    lifecycle   text        NOT NULL DEFAULT 'prospect',
    owner_id    uuid,
    custom      jsonb       NOT NULL DEFAULT '{}',
    -- The client that took this one in when both were merged.
    merged_into uuid,
    archived_at timestamptz,
    deleted_at  timestamptz,
    created_by  uuid,
    version     integer     NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT clients_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT clients_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT clients_owner_fkey FOREIGN KEY (company_id, owner_id) REFERENCES memberships (company_id, id),
    CONSTRAINT clients_merged_into_fkey FOREIGN KEY (company_id, merged_into) REFERENCES clients (company_id, id),
    CONSTRAINT clients_lifecycle_known CHECK (lifecycle IN ('prospect', 'active', 'former', 'partner')),
    CONSTRAINT clients_employees_not_negative CHECK (employees >= 0),
    CONSTRAINT clients_merged_is_deleted CHECK (merged_into IS NULL OR deleted_at IS NOT NULL)
);

CREATE UNIQUE INDEX clients_domain_key ON clients (company_id, domain_norm) WHERE deleted_at IS NULL;
CREATE INDEX clients_by_name ON clients (company_id, name, id) WHERE deleted_at IS NULL;
CREATE INDEX clients_by_creation ON clients (company_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX clients_by_owner ON clients (company_id, owner_id, created_at, id) WHERE deleted_at IS NULL;

CREATE TABLE contacts (
    company_id  uuid        NOT NULL,
    id          uuid        NOT NULL,
    first_name  text,
    last_name   text,
    -- As it is shown and sorted: first and last name, else what else is known of the person.
    name        text        NOT NULL,
    job_title   text,
    lifecycle   text        NOT NULL DEFAULT 'subscriber',
    owner_id    uuid,
    -- Copies of the primary identities and of the primary client, written in one transaction with them, for lists.
    email       text,
    phone       text,
    client_id   uuid,
    locale      text,
    time_zone   text,
    custom      jsonb       NOT NULL DEFAULT '{}',
    merged_into uuid,
    archived_at timestamptz,
    deleted_at  timestamptz,
    created_by  uuid,
    version     integer     NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT contacts_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT contacts_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT contacts_owner_fkey FOREIGN KEY (company_id, owner_id) REFERENCES memberships (company_id, id),
    CONSTRAINT contacts_client_fkey FOREIGN KEY (company_id, client_id) REFERENCES clients (company_id, id),
    CONSTRAINT contacts_merged_into_fkey FOREIGN KEY (company_id, merged_into) REFERENCES contacts (company_id, id),
    CONSTRAINT contacts_lifecycle_known
        CHECK (lifecycle IN ('subscriber', 'lead', 'qualified', 'opportunity', 'customer', 'former', 'other')),
    CONSTRAINT contacts_merged_is_deleted CHECK (merged_into IS NULL OR deleted_at IS NOT NULL)
);

CREATE INDEX contacts_by_name ON contacts (company_id, name, id) WHERE deleted_at IS NULL;
CREATE INDEX contacts_by_creation ON contacts (company_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX contacts_by_owner ON contacts (company_id, owner_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX contacts_by_client ON contacts (company_id, client_id, created_at, id) WHERE deleted_at IS NULL;

-- What a person is known by. One address is one person's: a second contact with it is refused here, not in the program.
CREATE TABLE contact_identities (
    company_id  uuid        NOT NULL,
    id          uuid        NOT NULL,
    contact_id  uuid        NOT NULL,
    kind        text        NOT NULL,
    -- As it was typed, and as it is compared: an address in lower case, a number in E.164 without spaces.
    value       text        NOT NULL,
    value_norm  text        NOT NULL,
    label       text,
    is_primary  boolean     NOT NULL DEFAULT false,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT contact_identities_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT contact_identities_contact_fkey FOREIGN KEY (company_id, contact_id)
        REFERENCES contacts (company_id, id) ON DELETE CASCADE,
    CONSTRAINT contact_identities_value_key UNIQUE (company_id, kind, value_norm),
    CONSTRAINT contact_identities_kind_known CHECK (kind IN ('email', 'phone', 'external'))
);

CREATE UNIQUE INDEX contact_identities_primary_key ON contact_identities (company_id, contact_id, kind) WHERE is_primary;
CREATE INDEX contact_identities_by_contact ON contact_identities (company_id, contact_id);

CREATE TABLE contact_clients (
    company_id uuid        NOT NULL,
    contact_id uuid        NOT NULL,
    client_id  uuid        NOT NULL,
    role       text,
    is_primary boolean     NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT contact_clients_pkey PRIMARY KEY (company_id, contact_id, client_id),
    CONSTRAINT contact_clients_contact_fkey FOREIGN KEY (company_id, contact_id)
        REFERENCES contacts (company_id, id) ON DELETE CASCADE,
    CONSTRAINT contact_clients_client_fkey FOREIGN KEY (company_id, client_id)
        REFERENCES clients (company_id, id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX contact_clients_primary_key ON contact_clients (company_id, contact_id) WHERE is_primary;
CREATE INDEX contact_clients_by_client ON contact_clients (company_id, client_id, contact_id);

CREATE TABLE pipelines (
    company_id  uuid        NOT NULL,
    id          uuid        NOT NULL,
    name        text        NOT NULL,
    position    integer     NOT NULL,
    is_default  boolean     NOT NULL DEFAULT false,
    archived_at timestamptz,
    version     integer     NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pipelines_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT pipelines_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT pipelines_default_is_used CHECK (NOT is_default OR archived_at IS NULL)
);

CREATE UNIQUE INDEX pipelines_name_key ON pipelines (company_id, lower(name));
CREATE UNIQUE INDEX pipelines_default_key ON pipelines (company_id) WHERE is_default;

CREATE TABLE stages (
    company_id      uuid        NOT NULL,
    id              uuid        NOT NULL,
    pipeline_id     uuid        NOT NULL,
    name            text        NOT NULL,
    kind            text        NOT NULL DEFAULT 'open',
    position        integer     NOT NULL,
    -- In hundredths of a per cent: 2500 is 25 %.
    probability_bp  integer     NOT NULL,
    -- What a deal has to say before it comes here: amount, close_on, contact, client, or the key of a custom field.
    required_fields text[]      NOT NULL DEFAULT '{}',
    -- After so many days here a deal counts as stuck.
    rotting_days    integer,
    color           text,
    version         integer     NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT stages_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT stages_pipeline_fkey FOREIGN KEY (company_id, pipeline_id)
        REFERENCES pipelines (company_id, id) ON DELETE CASCADE,
    -- What a deal points at: a stage of its own pipeline, and the kind copied from it.
    CONSTRAINT stages_of_pipeline_key UNIQUE (company_id, pipeline_id, id, kind),
    CONSTRAINT stages_kind_known CHECK (kind IN ('open', 'won', 'lost')),
    CONSTRAINT stages_probability_fits CHECK (
        probability_bp BETWEEN 0 AND 10000 AND (kind <> 'won' OR probability_bp = 10000)
        AND (kind <> 'lost' OR probability_bp = 0)),
    CONSTRAINT stages_rotting_days_positive CHECK (rotting_days > 0),
    CONSTRAINT stages_color_is_hex CHECK (color ~ '^#[0-9a-f]{6}$')
);

CREATE UNIQUE INDEX stages_name_key ON stages (company_id, pipeline_id, lower(name));
CREATE INDEX stages_in_order ON stages (company_id, pipeline_id, position);

CREATE TABLE lead_sources (
    company_id  uuid        NOT NULL,
    id          uuid        NOT NULL,
    name        text        NOT NULL,
    channel     text        NOT NULL DEFAULT 'other',
    archived_at timestamptz,
    version     integer     NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT lead_sources_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT lead_sources_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT lead_sources_channel_known CHECK (
        channel IN ('organic', 'paid', 'social', 'email', 'referral', 'partner', 'event', 'form', 'import', 'api', 'other'))
);

CREATE UNIQUE INDEX lead_sources_name_key ON lead_sources (company_id, lower(name));

-- One interest of one person. It always points at a contact: converting adds a client and a deal, it does not copy people.
CREATE TABLE leads (
    company_id        uuid        NOT NULL,
    id                uuid        NOT NULL,
    contact_id        uuid        NOT NULL,
    -- What the person called the company; a client is made of it at conversion.
    client_name       text,
    client_id         uuid,
    title             text        NOT NULL,
    message           text,
    status            text        NOT NULL DEFAULT 'new',
    owner_id          uuid,
    source_id         uuid,
    score             integer     NOT NULL DEFAULT 0,
    value_minor       bigint,
    currency          text,
    utm               jsonb       NOT NULL DEFAULT '{}',
    custom            jsonb       NOT NULL DEFAULT '{}',
    disqualified_for  text,
    assigned_at       timestamptz,
    first_response_at timestamptz,
    sla_due_at        timestamptz,
    converted_at      timestamptz,
    disqualified_at   timestamptz,
    archived_at       timestamptz,
    deleted_at        timestamptz,
    created_by        uuid,
    version           integer     NOT NULL DEFAULT 1,
    created_at        timestamptz NOT NULL DEFAULT now(),
    updated_at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT leads_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT leads_contact_fkey FOREIGN KEY (company_id, contact_id) REFERENCES contacts (company_id, id),
    CONSTRAINT leads_client_fkey FOREIGN KEY (company_id, client_id) REFERENCES clients (company_id, id),
    CONSTRAINT leads_owner_fkey FOREIGN KEY (company_id, owner_id) REFERENCES memberships (company_id, id),
    CONSTRAINT leads_source_fkey FOREIGN KEY (company_id, source_id) REFERENCES lead_sources (company_id, id),
    CONSTRAINT leads_status_known CHECK (status IN ('new', 'working', 'qualified', 'converted', 'disqualified')),
    CONSTRAINT leads_converted_has_time CHECK ((status = 'converted') = (converted_at IS NOT NULL)),
    CONSTRAINT leads_disqualified_has_time CHECK ((status = 'disqualified') = (disqualified_at IS NOT NULL)),
    CONSTRAINT leads_value_has_currency CHECK ((value_minor IS NULL) = (currency IS NULL)),
    CONSTRAINT leads_value_not_negative CHECK (value_minor >= 0),
    CONSTRAINT leads_currency_form CHECK (currency ~ '^[A-Z]{3}$')
);

CREATE INDEX leads_by_creation ON leads (company_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX leads_by_owner ON leads (company_id, owner_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX leads_by_status ON leads (company_id, status, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX leads_by_contact ON leads (company_id, contact_id);
CREATE INDEX leads_by_client ON leads (company_id, client_id) WHERE client_id IS NOT NULL;

CREATE TABLE deals (
    company_id       uuid          NOT NULL,
    id               uuid          NOT NULL,
    name             text          NOT NULL,
    pipeline_id      uuid          NOT NULL,
    stage_id         uuid          NOT NULL,
    stage_kind       text          NOT NULL,
    client_id        uuid,
    contact_id       uuid,
    owner_id         uuid,
    lead_id          uuid,
    source_id        uuid,
    amount_minor     bigint,
    currency         text,
    -- The amount in the company's own currency at the rate of that day, so that a report of last year stays what it was.
    base_minor       bigint,
    rate             numeric(20, 10),
    rate_on          date,
    -- Where the seller knows better than the stage.
    probability_bp   integer,
    close_on         date,
    rank             text COLLATE "C" NOT NULL,
    description      text,
    lost_reason_id   uuid,
    lost_note        text,
    stage_entered_at timestamptz   NOT NULL DEFAULT now(),
    closed_at        timestamptz,
    custom           jsonb         NOT NULL DEFAULT '{}',
    archived_at      timestamptz,
    deleted_at       timestamptz,
    created_by       uuid,
    version          integer       NOT NULL DEFAULT 1,
    created_at       timestamptz   NOT NULL DEFAULT now(),
    updated_at       timestamptz   NOT NULL DEFAULT now(),
    CONSTRAINT deals_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT deals_pipeline_fkey FOREIGN KEY (company_id, pipeline_id) REFERENCES pipelines (company_id, id),
    -- The stage is one of the deal's own pipeline, and the kind is that of the stage.
    CONSTRAINT deals_stage_fkey FOREIGN KEY (company_id, pipeline_id, stage_id, stage_kind)
        REFERENCES stages (company_id, pipeline_id, id, kind),
    CONSTRAINT deals_client_fkey FOREIGN KEY (company_id, client_id) REFERENCES clients (company_id, id),
    CONSTRAINT deals_contact_fkey FOREIGN KEY (company_id, contact_id) REFERENCES contacts (company_id, id),
    CONSTRAINT deals_owner_fkey FOREIGN KEY (company_id, owner_id) REFERENCES memberships (company_id, id),
    CONSTRAINT deals_lead_fkey FOREIGN KEY (company_id, lead_id) REFERENCES leads (company_id, id),
    CONSTRAINT deals_source_fkey FOREIGN KEY (company_id, source_id) REFERENCES lead_sources (company_id, id),
    CONSTRAINT deals_rank_key UNIQUE (company_id, stage_id, rank),
    CONSTRAINT deals_amount_has_currency CHECK ((amount_minor IS NULL) = (currency IS NULL)),
    CONSTRAINT deals_amount_not_negative CHECK (amount_minor >= 0),
    CONSTRAINT deals_currency_form CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT deals_base_has_rate CHECK ((base_minor IS NULL) = (rate IS NULL) AND (rate IS NULL) = (rate_on IS NULL)),
    CONSTRAINT deals_rate_positive CHECK (rate > 0),
    CONSTRAINT deals_probability_fits CHECK (probability_bp BETWEEN 0 AND 10000),
    CONSTRAINT deals_closed_has_time CHECK ((stage_kind = 'open') = (closed_at IS NULL)),
    CONSTRAINT deals_lost_has_reason CHECK (stage_kind = 'lost' OR (lost_reason_id IS NULL AND lost_note IS NULL))
);

CREATE INDEX deals_by_creation ON deals (company_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX deals_by_owner ON deals (company_id, owner_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX deals_by_pipeline ON deals (company_id, pipeline_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX deals_by_client ON deals (company_id, client_id, created_at) WHERE client_id IS NOT NULL;
CREATE INDEX deals_by_contact ON deals (company_id, contact_id, created_at) WHERE contact_id IS NOT NULL;
CREATE UNIQUE INDEX deals_lead_key ON deals (company_id, lead_id) WHERE lead_id IS NOT NULL;

-- The way of every deal; all numbers of funnels and conversion come from here. Nothing in it is ever changed.
CREATE TABLE deal_stage_events (
    company_id   uuid        NOT NULL,
    deal_id      uuid        NOT NULL,
    seq          integer     NOT NULL,
    pipeline_id  uuid        NOT NULL,
    from_stage   uuid,
    to_stage     uuid        NOT NULL,
    from_kind    text,
    to_kind      text        NOT NULL,
    amount_minor bigint,
    currency     text,
    base_minor   bigint,
    member_id    uuid,
    at           timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT deal_stage_events_pkey PRIMARY KEY (company_id, deal_id, seq),
    CONSTRAINT deal_stage_events_deal_fkey FOREIGN KEY (company_id, deal_id) REFERENCES deals (company_id, id)
);

CREATE INDEX deal_stage_events_by_time ON deal_stage_events (company_id, pipeline_id, at);

-- What a lead became. One row a lead, so that converting it twice is converting it once.
CREATE TABLE lead_conversions (
    company_id   uuid        NOT NULL,
    lead_id      uuid        NOT NULL,
    client_id    uuid,
    contact_id   uuid        NOT NULL,
    deal_id      uuid,
    converted_by uuid,
    converted_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT lead_conversions_pkey PRIMARY KEY (company_id, lead_id),
    CONSTRAINT lead_conversions_lead_fkey FOREIGN KEY (company_id, lead_id) REFERENCES leads (company_id, id),
    CONSTRAINT lead_conversions_client_fkey FOREIGN KEY (company_id, client_id) REFERENCES clients (company_id, id),
    CONSTRAINT lead_conversions_contact_fkey FOREIGN KEY (company_id, contact_id) REFERENCES contacts (company_id, id),
    CONSTRAINT lead_conversions_deal_fkey FOREIGN KEY (company_id, deal_id) REFERENCES deals (company_id, id)
);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'clients', 'contacts', 'contact_identities', 'contact_clients', 'pipelines', 'stages', 'lead_sources', 'leads',
        'deals', 'deal_stage_events', 'lead_conversions'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format($policy$CREATE POLICY tenant ON %I
            USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
            WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid)$policy$, name);
    END LOOP;
END $$;

-- The application adds to the way of a deal and reads it; nobody rewrites it.
REVOKE UPDATE, DELETE, TRUNCATE ON deal_stage_events FROM infinity_app;
