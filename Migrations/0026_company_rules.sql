-- What a company asks of its people's sign-in, the days it does not work, and the handing over of its ownership.

CREATE TABLE company_security_policies (
    company_id           uuid        NOT NULL,
    mfa_required         boolean     NOT NULL DEFAULT false,
    login_methods        text[]      NOT NULL DEFAULT '{password}',
    session_idle_minutes integer,
    session_max_hours    integer,
    ip_allow_list        text[]      NOT NULL DEFAULT '{}',
    api_key_max_days     integer,
    version              integer     NOT NULL DEFAULT 1,
    updated_at           timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT company_security_policies_pkey PRIMARY KEY (company_id),
    CONSTRAINT company_security_policies_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT company_security_policies_some_way_in CHECK (cardinality(login_methods) > 0),
    CONSTRAINT company_security_policies_limits_positive CHECK (
        session_idle_minutes > 0 AND session_max_hours > 0 AND api_key_max_days > 0)
);

CREATE TABLE company_holidays (
    company_id uuid NOT NULL,
    on_date    date NOT NULL,
    name       text NOT NULL,
    CONSTRAINT company_holidays_pkey PRIMARY KEY (company_id, on_date),
    CONSTRAINT company_holidays_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id)
);

CREATE TABLE ownership_transfers (
    company_id     uuid        NOT NULL,
    id             uuid        NOT NULL,
    from_member_id uuid        NOT NULL,
    to_member_id   uuid        NOT NULL,
    state          text        NOT NULL DEFAULT 'pending',
    token_sha256   bytea       NOT NULL,
    expires_at     timestamptz NOT NULL,
    decided_at     timestamptz,
    created_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ownership_transfers_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT ownership_transfers_from_fkey FOREIGN KEY (company_id, from_member_id)
        REFERENCES memberships (company_id, id),
    CONSTRAINT ownership_transfers_to_fkey FOREIGN KEY (company_id, to_member_id)
        REFERENCES memberships (company_id, id),
    CONSTRAINT ownership_transfers_to_another CHECK (from_member_id <> to_member_id),
    CONSTRAINT ownership_transfers_state_known CHECK (state IN ('pending', 'completed', 'cancelled'))
);

CREATE UNIQUE INDEX ownership_transfers_one_pending ON ownership_transfers (company_id) WHERE state = 'pending';

ALTER TABLE company_security_policies ENABLE ROW LEVEL SECURITY;
ALTER TABLE company_security_policies FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON company_security_policies
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

ALTER TABLE company_holidays ENABLE ROW LEVEL SECURITY;
ALTER TABLE company_holidays FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON company_holidays
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

ALTER TABLE ownership_transfers ENABLE ROW LEVEL SECURITY;
ALTER TABLE ownership_transfers FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON ownership_transfers
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
