-- Which of an agency's people may enter which of its client companies, seen from the agency. The matching
-- membership stands in the client company (memberships.via_company_id) and changes in the same transaction.

CREATE TABLE client_access (
    company_id        uuid        NOT NULL,
    id                uuid        NOT NULL,
    child_company_id  uuid        NOT NULL,
    member_id         uuid        NOT NULL,
    child_member_id   uuid        NOT NULL,
    granted_by        uuid,
    created_at        timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT client_access_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT client_access_one_each UNIQUE (company_id, child_company_id, member_id),
    CONSTRAINT client_access_child_fkey FOREIGN KEY (child_company_id) REFERENCES companies (id),
    CONSTRAINT client_access_member_fkey FOREIGN KEY (company_id, member_id)
        REFERENCES memberships (company_id, id)
);

CREATE INDEX client_access_by_member ON client_access (company_id, member_id);

ALTER TABLE client_access ENABLE ROW LEVEL SECURITY;
ALTER TABLE client_access FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON client_access
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
