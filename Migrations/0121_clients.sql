-- What hangs on clients and contacts: addresses, files, tags, how clients stand to each other, what people allow, and how
-- two records that mean the same are found and become one.

CREATE TABLE crm_addresses (
    company_id  uuid        NOT NULL,
    id          uuid        NOT NULL,
    client_id   uuid,
    contact_id  uuid,
    label       text,
    street      text,
    postal_code text,
    city        text,
    region      text,
    country     text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT crm_addresses_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT crm_addresses_client_fkey FOREIGN KEY (company_id, client_id)
        REFERENCES clients (company_id, id) ON DELETE CASCADE,
    CONSTRAINT crm_addresses_contact_fkey FOREIGN KEY (company_id, contact_id)
        REFERENCES contacts (company_id, id) ON DELETE CASCADE,
    CONSTRAINT crm_addresses_of_one CHECK (num_nonnulls(client_id, contact_id) = 1),
    CONSTRAINT crm_addresses_country_form CHECK (country ~ '^[A-Z]{2}$')
);

CREATE INDEX crm_addresses_by_client ON crm_addresses (company_id, client_id) WHERE client_id IS NOT NULL;
CREATE INDEX crm_addresses_by_contact ON crm_addresses (company_id, contact_id) WHERE contact_id IS NOT NULL;

CREATE TABLE crm_attachments (
    company_id  uuid        NOT NULL,
    -- The attachment's own; the file is used under it, so that one can be taken off and the others stay.
    id          uuid        NOT NULL,
    client_id   uuid,
    contact_id  uuid,
    file_id     uuid        NOT NULL,
    attached_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT crm_attachments_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT crm_attachments_client_fkey FOREIGN KEY (company_id, client_id)
        REFERENCES clients (company_id, id) ON DELETE CASCADE,
    CONSTRAINT crm_attachments_contact_fkey FOREIGN KEY (company_id, contact_id)
        REFERENCES contacts (company_id, id) ON DELETE CASCADE,
    CONSTRAINT crm_attachments_of_one CHECK (num_nonnulls(client_id, contact_id) = 1),
    CONSTRAINT crm_attachments_once UNIQUE NULLS NOT DISTINCT (company_id, client_id, contact_id, file_id)
);

CREATE INDEX crm_attachments_by_contact ON crm_attachments (company_id, contact_id) WHERE contact_id IS NOT NULL;

CREATE TABLE client_tags (
    company_id uuid NOT NULL,
    client_id  uuid NOT NULL,
    tag_id     uuid NOT NULL,
    CONSTRAINT client_tags_pkey PRIMARY KEY (company_id, client_id, tag_id),
    CONSTRAINT client_tags_client_fkey FOREIGN KEY (company_id, client_id)
        REFERENCES clients (company_id, id) ON DELETE CASCADE,
    CONSTRAINT client_tags_tag_fkey FOREIGN KEY (company_id, tag_id) REFERENCES tags (company_id, id) ON DELETE CASCADE
);

CREATE INDEX client_tags_by_tag ON client_tags (company_id, tag_id, client_id);

CREATE TABLE contact_tags (
    company_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    tag_id     uuid NOT NULL,
    CONSTRAINT contact_tags_pkey PRIMARY KEY (company_id, contact_id, tag_id),
    CONSTRAINT contact_tags_contact_fkey FOREIGN KEY (company_id, contact_id)
        REFERENCES contacts (company_id, id) ON DELETE CASCADE,
    CONSTRAINT contact_tags_tag_fkey FOREIGN KEY (company_id, tag_id) REFERENCES tags (company_id, id) ON DELETE CASCADE
);

CREATE INDEX contact_tags_by_tag ON contact_tags (company_id, tag_id, contact_id);

-- Read as "from is the <kind> of to".
CREATE TABLE client_relations (
    company_id  uuid        NOT NULL,
    id          uuid        NOT NULL,
    from_client uuid        NOT NULL,
    to_client   uuid        NOT NULL,
    kind        text        NOT NULL,
    note        text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT client_relations_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT client_relations_from_fkey FOREIGN KEY (company_id, from_client)
        REFERENCES clients (company_id, id) ON DELETE CASCADE,
    CONSTRAINT client_relations_to_fkey FOREIGN KEY (company_id, to_client)
        REFERENCES clients (company_id, id) ON DELETE CASCADE,
    CONSTRAINT client_relations_kind_known CHECK (kind IN ('parent', 'supplier', 'referrer', 'partner', 'competitor', 'other')),
    CONSTRAINT client_relations_of_two CHECK (from_client <> to_client),
    CONSTRAINT client_relations_once UNIQUE (company_id, kind, from_client, to_client)
);

-- What holds in both directions is said once; a client has one parent.
CREATE UNIQUE INDEX client_relations_mutual_once
    ON client_relations (company_id, kind, least(from_client, to_client), greatest(from_client, to_client))
 WHERE kind IN ('partner', 'competitor', 'other');
CREATE UNIQUE INDEX client_relations_one_parent ON client_relations (company_id, to_client) WHERE kind = 'parent';
CREATE INDEX client_relations_by_from ON client_relations (company_id, from_client);
CREATE INDEX client_relations_by_to ON client_relations (company_id, to_client);

-- What a person has allowed, and what she has taken back: every word of it is kept, the last one holds.
CREATE TABLE contact_consents (
    company_id  uuid        NOT NULL,
    id          uuid        NOT NULL,
    contact_id  uuid        NOT NULL,
    channel     text        NOT NULL,
    state       text        NOT NULL,
    basis       text        NOT NULL,
    source      text        NOT NULL,
    note        text,
    at          timestamptz NOT NULL,
    recorded_by uuid,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT contact_consents_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT contact_consents_contact_fkey FOREIGN KEY (company_id, contact_id)
        REFERENCES contacts (company_id, id) ON DELETE CASCADE,
    CONSTRAINT contact_consents_channel_known CHECK (channel IN ('email', 'phone', 'sms', 'post')),
    CONSTRAINT contact_consents_state_known CHECK (state IN ('granted', 'denied', 'withdrawn')),
    CONSTRAINT contact_consents_basis_known
        CHECK (basis IN ('consent', 'contract', 'legitimate_interest', 'legal_obligation', 'none'))
);

CREATE INDEX contact_consents_by_contact ON contact_consents (company_id, contact_id, channel, at);

-- The words that hold, by channel, written with them.
ALTER TABLE contacts ADD COLUMN consents jsonb NOT NULL DEFAULT '{}';

-- Two records that may be one. The lesser id comes first, so that a pair is found once.
CREATE TABLE duplicates (
    company_id     uuid        NOT NULL,
    id             uuid        NOT NULL,
    first_client   uuid,
    second_client  uuid,
    first_contact  uuid,
    second_contact uuid,
    reasons        text[]      NOT NULL,
    state          text        NOT NULL DEFAULT 'open',
    found_at       timestamptz NOT NULL DEFAULT now(),
    decided_by     uuid,
    decided_at     timestamptz,
    CONSTRAINT duplicates_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT duplicates_first_client_fkey FOREIGN KEY (company_id, first_client)
        REFERENCES clients (company_id, id) ON DELETE CASCADE,
    CONSTRAINT duplicates_second_client_fkey FOREIGN KEY (company_id, second_client)
        REFERENCES clients (company_id, id) ON DELETE CASCADE,
    CONSTRAINT duplicates_first_contact_fkey FOREIGN KEY (company_id, first_contact)
        REFERENCES contacts (company_id, id) ON DELETE CASCADE,
    CONSTRAINT duplicates_second_contact_fkey FOREIGN KEY (company_id, second_contact)
        REFERENCES contacts (company_id, id) ON DELETE CASCADE,
    CONSTRAINT duplicates_of_two CHECK (
        first_client < second_client AND num_nonnulls(first_contact, second_contact) = 0
        OR first_contact < second_contact AND num_nonnulls(first_client, second_client) = 0),
    CONSTRAINT duplicates_state_known CHECK (state IN ('open', 'dismissed', 'merged'))
);

CREATE UNIQUE INDEX duplicates_client_once ON duplicates (company_id, first_client, second_client)
 WHERE first_client IS NOT NULL;
CREATE UNIQUE INDEX duplicates_contact_once ON duplicates (company_id, first_contact, second_contact)
 WHERE first_contact IS NOT NULL;
CREATE INDEX duplicates_by_second_client ON duplicates (company_id, second_client) WHERE second_client IS NOT NULL;
CREATE INDEX duplicates_by_second_contact ON duplicates (company_id, second_contact) WHERE second_contact IS NOT NULL;
CREATE INDEX duplicates_open ON duplicates (company_id, found_at, id) WHERE state = 'open';

-- How two records became one, with all that it takes to make them two again.
CREATE TABLE merges (
    company_id       uuid        NOT NULL,
    id               uuid        NOT NULL,
    survivor_client  uuid,
    absorbed_client  uuid,
    survivor_contact uuid,
    absorbed_contact uuid,
    -- The survivor before, and what it was given: only what still is as given is taken back.
    before           jsonb       NOT NULL,
    given            jsonb       NOT NULL,
    -- By table and column: the rows that pointed at the absorbed one.
    moved            jsonb       NOT NULL,
    -- What of the moved rows had to change beside, as which address is the primary one.
    yielded          jsonb       NOT NULL,
    merged_by        uuid,
    merged_at        timestamptz NOT NULL DEFAULT now(),
    undone_by        uuid,
    undone_at        timestamptz,
    left_behind      jsonb,
    CONSTRAINT merges_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT merges_survivor_client_fkey FOREIGN KEY (company_id, survivor_client)
        REFERENCES clients (company_id, id) ON DELETE CASCADE,
    CONSTRAINT merges_absorbed_client_fkey FOREIGN KEY (company_id, absorbed_client)
        REFERENCES clients (company_id, id) ON DELETE CASCADE,
    CONSTRAINT merges_survivor_contact_fkey FOREIGN KEY (company_id, survivor_contact)
        REFERENCES contacts (company_id, id) ON DELETE CASCADE,
    CONSTRAINT merges_absorbed_contact_fkey FOREIGN KEY (company_id, absorbed_contact)
        REFERENCES contacts (company_id, id) ON DELETE CASCADE,
    CONSTRAINT merges_of_two CHECK (
        num_nonnulls(survivor_client, absorbed_client) = 2 AND num_nonnulls(survivor_contact, absorbed_contact) = 0
        OR num_nonnulls(survivor_contact, absorbed_contact) = 2 AND num_nonnulls(survivor_client, absorbed_client) = 0)
);

-- What is absorbed is absorbed once, until that is undone.
CREATE UNIQUE INDEX merges_client_once ON merges (company_id, absorbed_client)
 WHERE absorbed_client IS NOT NULL AND undone_at IS NULL;
CREATE UNIQUE INDEX merges_contact_once ON merges (company_id, absorbed_contact)
 WHERE absorbed_contact IS NOT NULL AND undone_at IS NULL;
CREATE INDEX merges_by_survivor_client ON merges (company_id, survivor_client) WHERE survivor_client IS NOT NULL;
CREATE INDEX merges_by_survivor_contact ON merges (company_id, survivor_contact) WHERE survivor_contact IS NOT NULL;

CREATE TABLE contact_upkeep (
    company_id uuid        NOT NULL,
    due_at     timestamptz NOT NULL,
    -- Everything that changed since is yet to be looked at for duplicates.
    seen_to    timestamptz NOT NULL DEFAULT '-infinity',
    CONSTRAINT contact_upkeep_pkey PRIMARY KEY (company_id)
);

CREATE INDEX contact_upkeep_due ON contact_upkeep (due_at);

COMMENT ON TABLE contact_upkeep IS 'infinity:local: the worker finds the companies in which something is due';

-- Names are compared without case.
CREATE INDEX clients_by_lower_name ON clients (company_id, lower(name)) WHERE deleted_at IS NULL;
CREATE INDEX contacts_by_lower_name ON contacts (company_id, lower(name)) WHERE deleted_at IS NULL;
CREATE INDEX contacts_by_change ON contacts (company_id, updated_at, id) WHERE deleted_at IS NULL;
CREATE INDEX clients_by_change ON clients (company_id, updated_at, id) WHERE deleted_at IS NULL;
CREATE INDEX contacts_in_trash ON contacts (company_id, deleted_at, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX clients_in_trash ON clients (company_id, deleted_at, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX contacts_merged ON contacts (company_id, merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX clients_merged ON clients (company_id, merged_into) WHERE merged_into IS NOT NULL;

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'crm_addresses', 'crm_attachments', 'client_tags', 'contact_tags', 'client_relations', 'contact_consents',
        'duplicates', 'merges'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format($policy$CREATE POLICY tenant ON %I
            USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
            WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid)$policy$, name);
    END LOOP;
END $$;
