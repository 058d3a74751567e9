-- What a company may use of what is counted: the limit of its plan, its own exceptions, and what was granted on top.

CREATE TABLE company_plans (
    company_id uuid        NOT NULL,
    plan       text        NOT NULL,
    -- The day of the month on which monthly counters begin anew; every month has a 28th.
    anchor_day integer     NOT NULL DEFAULT 1,
    version    integer     NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT company_plans_pkey PRIMARY KEY (company_id),
    CONSTRAINT company_plans_anchor_in_every_month CHECK (anchor_day BETWEEN 1 AND 28)
);

-- Limits by plan; no amount means that nothing limits it. What stands in no row has the limit declared in the program.
CREATE TABLE plan_limits (
    plan       text        NOT NULL,
    quota      text        NOT NULL,
    amount     bigint,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT plan_limits_pkey PRIMARY KEY (plan, quota),
    CONSTRAINT plan_limits_not_negative CHECK (amount >= 0)
);

CREATE TABLE quota_overrides (
    company_id uuid        NOT NULL,
    quota      text        NOT NULL,
    amount     bigint,
    -- NULL leaves what the program declares.
    is_hard    boolean,
    note       text,
    version    integer     NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT quota_overrides_pkey PRIMARY KEY (company_id, quota),
    CONSTRAINT quota_overrides_not_negative CHECK (amount >= 0)
);

CREATE TABLE quota_grants (
    company_id uuid        NOT NULL,
    id         uuid        NOT NULL,
    quota      text        NOT NULL,
    amount     bigint      NOT NULL,
    -- What has been drawn of it so far; booked when the counter is next looked over.
    used       bigint      NOT NULL DEFAULT 0,
    -- The lowest number is used up first, among equals what expires first.
    priority   integer     NOT NULL DEFAULT 100,
    expires_at timestamptz,
    note       text,
    version    integer     NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT quota_grants_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT quota_grants_amount_positive CHECK (amount > 0),
    CONSTRAINT quota_grants_never_overdrawn CHECK (used BETWEEN 0 AND amount)
);

CREATE INDEX quota_grants_in_order ON quota_grants (company_id, quota, priority, expires_at, id);

-- One row a company and quota. `ceiling` is all there is to use; it holds until `fresh_until`, so that taking from it
-- is one statement that decides by itself.
CREATE TABLE quota_counters (
    company_id   uuid        NOT NULL,
    quota        text        NOT NULL,
    used         bigint      NOT NULL DEFAULT 0,
    reserved     bigint      NOT NULL DEFAULT 0,
    -- The plain limit, without what was carried over or granted; NULL is no limit.
    base         bigint,
    carried      bigint      NOT NULL DEFAULT 0,
    -- What this period has drawn from grants.
    drawn        bigint      NOT NULL DEFAULT 0,
    ceiling      bigint,
    is_hard      boolean     NOT NULL DEFAULT true,
    period_start timestamptz,
    -- NULL for what is never counted anew.
    period_end   timestamptz,
    -- NULL until it is looked over for the first time.
    fresh_until  timestamptz,
    -- The highest share of the ceiling, in percent, that this period has told of.
    alerted      integer     NOT NULL DEFAULT 0,
    CONSTRAINT quota_counters_pkey PRIMARY KEY (company_id, quota),
    CONSTRAINT quota_counters_not_negative CHECK (used >= 0 AND reserved >= 0)
);

-- Amounts set aside for work under way. The sweeper finds the forgotten ones over all companies.
CREATE TABLE quota_reservations (
    id                    uuid        NOT NULL,
    company_id            uuid        NOT NULL,
    quota                 text        NOT NULL,
    amount                bigint      NOT NULL,
    -- Whether a forgotten one counts as used: work that costs money may well have been done.
    counts_when_forgotten boolean    NOT NULL,
    expires_at            timestamptz NOT NULL,
    CONSTRAINT quota_reservations_pkey PRIMARY KEY (id),
    CONSTRAINT quota_reservations_amount_positive CHECK (amount > 0)
);

CREATE INDEX quota_reservations_due ON quota_reservations (expires_at);
COMMENT ON TABLE quota_reservations IS 'infinity:local: the sweeper looks for what was forgotten in all companies';

ALTER TABLE company_plans ENABLE ROW LEVEL SECURITY;
ALTER TABLE company_plans FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON company_plans
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

ALTER TABLE quota_overrides ENABLE ROW LEVEL SECURITY;
ALTER TABLE quota_overrides FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON quota_overrides
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

ALTER TABLE quota_grants ENABLE ROW LEVEL SECURITY;
ALTER TABLE quota_grants FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON quota_grants
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

ALTER TABLE quota_counters ENABLE ROW LEVEL SECURITY;
ALTER TABLE quota_counters FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON quota_counters
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
