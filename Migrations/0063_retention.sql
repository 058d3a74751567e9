-- How long a company keeps what kind of data, where it chose otherwise than the product does; and what it must keep
-- whatever the rule, because of a dispute or an authority.

CREATE TABLE retention_policies (
    company_id uuid        NOT NULL,
    class      text        NOT NULL,
    days       integer     NOT NULL,
    updated_by uuid,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT retention_policies_pkey PRIMARY KEY (company_id, class),
    CONSTRAINT retention_policies_days_positive CHECK (days > 0)
);

CREATE TABLE legal_holds (
    company_id  uuid        NOT NULL,
    id          uuid        NOT NULL,
    reason      text        NOT NULL,
    placed_by   uuid        NOT NULL,
    placed_at   timestamptz NOT NULL DEFAULT now(),
    released_by uuid,
    released_at timestamptz,
    CONSTRAINT legal_holds_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT legal_holds_released_by_somebody CHECK ((released_at IS NULL) = (released_by IS NULL))
);

CREATE INDEX legal_holds_newest ON legal_holds (company_id, placed_at DESC, id DESC);

ALTER TABLE retention_policies ENABLE ROW LEVEL SECURITY;
ALTER TABLE retention_policies FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON retention_policies
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

ALTER TABLE legal_holds ENABLE ROW LEVEL SECURITY;
ALTER TABLE legal_holds FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON legal_holds
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
