-- Fields that a company gives to its things. Their values stand with the things, in a jsonb column of their table.

CREATE TABLE custom_fields (
    company_id    uuid        NOT NULL,
    id            uuid        NOT NULL,
    kind          text        NOT NULL,
    -- The part of the company whose things have it, as a project; NULL for all. Which table it names depends on the kind.
    scope_id      uuid,
    key           text        NOT NULL,
    name          text        NOT NULL,
    description   text,
    type          text        NOT NULL,
    is_required   boolean     NOT NULL DEFAULT false,
    options       jsonb       NOT NULL DEFAULT '[]',
    default_value jsonb,
    currency      text,
    position      integer     NOT NULL,
    archived_at   timestamptz,
    -- From here on nobody sees it; the row goes when the last value of it is gone.
    deleted_at    timestamptz,
    version       integer     NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT custom_fields_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT custom_fields_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT custom_fields_key_form CHECK (key ~ '^[a-z][a-z0-9_]{0,59}$'),
    CONSTRAINT custom_fields_type_known CHECK (
        type IN ('text', 'number', 'money', 'date', 'boolean', 'select', 'multi_select', 'member', 'url')),
    CONSTRAINT custom_fields_options_fit CHECK ((type IN ('select', 'multi_select')) = (options <> '[]')),
    CONSTRAINT custom_fields_currency_fits CHECK ((type = 'money') = (currency IS NOT NULL))
);

CREATE UNIQUE INDEX custom_fields_key_key ON custom_fields
    (company_id, kind, coalesce(scope_id, '00000000-0000-0000-0000-000000000000'), key);
CREATE INDEX custom_fields_in_order ON custom_fields (company_id, kind, position);

ALTER TABLE custom_fields ENABLE ROW LEVEL SECURITY;
ALTER TABLE custom_fields FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON custom_fields
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
