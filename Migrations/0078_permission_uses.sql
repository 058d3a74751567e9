-- Which of their permissions people really use, and since when and until when: the ground for suggesting a smaller role and
-- for reviews of who may do what. One row a member and permission, touched at most once a day by each instance.

CREATE TABLE permission_uses (
    company_id uuid    NOT NULL,
    member_id  uuid    NOT NULL,
    permission text    NOT NULL,
    first_on   date    NOT NULL,
    last_on    date    NOT NULL,
    -- On how many days.
    days       integer NOT NULL DEFAULT 1,
    CONSTRAINT permission_uses_pkey PRIMARY KEY (company_id, member_id, permission),
    CONSTRAINT permission_uses_member_fkey FOREIGN KEY (company_id, member_id)
        REFERENCES memberships (company_id, id) ON DELETE CASCADE,
    CONSTRAINT permission_uses_in_order CHECK (first_on <= last_on AND days > 0)
);

ALTER TABLE permission_uses ENABLE ROW LEVEL SECURITY;
ALTER TABLE permission_uses FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON permission_uses
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
