-- What a company wants to know of its people beside name and title: each attribute with its kind. The values stand in
-- memberships.attributes under the attribute's key.

CREATE TABLE member_attributes (
    company_id  uuid        NOT NULL,
    id          uuid        NOT NULL,
    key         text        NOT NULL,
    name        text        NOT NULL,
    description text,
    kind        text        NOT NULL,
    -- What may be chosen, in the order shown.
    options     text[]      NOT NULL DEFAULT '{}',
    version     integer     NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT member_attributes_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT member_attributes_key_key UNIQUE (company_id, key),
    CONSTRAINT member_attributes_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT member_attributes_kind_known CHECK (kind IN ('text', 'number', 'boolean', 'date', 'choice')),
    CONSTRAINT member_attributes_choice_has_options CHECK ((kind = 'choice') = (cardinality(options) > 0))
);

CREATE UNIQUE INDEX member_attributes_name_key ON member_attributes (company_id, lower(name));

ALTER TABLE member_attributes ENABLE ROW LEVEL SECURITY;
ALTER TABLE member_attributes FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON member_attributes
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
