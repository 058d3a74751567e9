-- E-mail domains that a company has proven to be its own by a record in the domain name system; and who may come in
-- because his address is at one.

CREATE TABLE company_domains (
    company_id      uuid        NOT NULL,
    id              uuid        NOT NULL,
    domain          text        NOT NULL,
    -- What the TXT record must say. No secret: it stands in public.
    proof           text        NOT NULL,
    state           text        NOT NULL DEFAULT 'pending',
    -- What becomes of people with an address there: nothing, they may ask, or they are let in.
    join_rule       text        NOT NULL DEFAULT 'off',
    role_id         uuid,
    verified_at     timestamptz,
    last_checked_at timestamptz,
    -- Why the last check did not find the record.
    last_fault      text,
    failures        integer     NOT NULL DEFAULT 0,
    created_by      uuid        NOT NULL,
    version         integer     NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT company_domains_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT company_domains_domain_key UNIQUE (company_id, domain),
    CONSTRAINT company_domains_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT company_domains_role_fkey FOREIGN KEY (company_id, role_id) REFERENCES roles (company_id, id),
    CONSTRAINT company_domains_state_known CHECK (state IN ('pending', 'verified')),
    CONSTRAINT company_domains_rule_known CHECK (join_rule IN ('off', 'ask', 'auto')),
    CONSTRAINT company_domains_verified_has_a_time CHECK ((state = 'verified') = (verified_at IS NOT NULL))
);

ALTER TABLE company_domains ENABLE ROW LEVEL SECURITY;
ALTER TABLE company_domains FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON company_domains
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

-- Whose domain it is: found before the company is known, and at most one company's.
CREATE TABLE verified_domains (
    domain      text        NOT NULL,
    of_company  uuid        NOT NULL,
    domain_id   uuid        NOT NULL,
    checked_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT verified_domains_pkey PRIMARY KEY (domain)
);

CREATE INDEX verified_domains_of_company ON verified_domains (of_company);
CREATE INDEX verified_domains_to_check ON verified_domains (checked_at);

-- Somebody may ask to join because of a domain instead of a link.
ALTER TABLE join_requests ALTER COLUMN link_id DROP NOT NULL;
ALTER TABLE join_requests ADD COLUMN domain_id uuid;
ALTER TABLE join_requests ADD CONSTRAINT join_requests_domain_fkey FOREIGN KEY (company_id, domain_id)
    REFERENCES company_domains (company_id, id);
ALTER TABLE join_requests ADD CONSTRAINT join_requests_by_link_or_domain CHECK (
    (link_id IS NULL) <> (domain_id IS NULL));
