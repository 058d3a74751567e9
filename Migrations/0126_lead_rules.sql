-- How leads find their people, what those have promised, and what a lead is worth looking at.

CREATE TABLE assignment_rules (
    company_id  uuid        NOT NULL,
    id          uuid        NOT NULL,
    name        text        NOT NULL,
    position    integer     NOT NULL,
    is_active   boolean     NOT NULL DEFAULT true,
    -- All of them must hold; none holds always.
    conditions  jsonb       NOT NULL DEFAULT '[]',
    mode        text        NOT NULL,
    -- Gets what none of the members may take now.
    fallback_id uuid,
    version     integer     NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT assignment_rules_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT assignment_rules_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT assignment_rules_fallback_fkey FOREIGN KEY (company_id, fallback_id)
        REFERENCES memberships (company_id, id),
    CONSTRAINT assignment_rules_mode_known CHECK (mode IN ('round_robin', 'weighted', 'load', 'owner', 'territory'))
);

CREATE UNIQUE INDEX assignment_rules_name_key ON assignment_rules (company_id, lower(name));
CREATE INDEX assignment_rules_in_order ON assignment_rules (company_id, position, id);

-- Who takes part in a rule. `turn` moves with every lead dealt out, under the lock of the rule: of those who may take one
-- the highest is next.
CREATE TABLE assignment_members (
    company_id uuid    NOT NULL,
    rule_id    uuid    NOT NULL,
    member_id  uuid    NOT NULL,
    position   integer NOT NULL,
    weight     integer NOT NULL DEFAULT 1,
    -- Countries of a territory.
    countries  text[]  NOT NULL DEFAULT '{}',
    turn       bigint  NOT NULL DEFAULT 0,
    CONSTRAINT assignment_members_pkey PRIMARY KEY (company_id, rule_id, member_id),
    CONSTRAINT assignment_members_rule_fkey FOREIGN KEY (company_id, rule_id)
        REFERENCES assignment_rules (company_id, id) ON DELETE CASCADE,
    CONSTRAINT assignment_members_member_fkey FOREIGN KEY (company_id, member_id)
        REFERENCES memberships (company_id, id) ON DELETE CASCADE,
    CONSTRAINT assignment_members_weight_fits CHECK (weight BETWEEN 1 AND 100)
);

CREATE INDEX assignment_members_by_member ON assignment_members (company_id, member_id);

-- When somebody may be given leads, and how many. Who has no row always may.
CREATE TABLE lead_availability (
    company_id     uuid        NOT NULL,
    member_id      uuid        NOT NULL,
    open_leads_max integer,
    time_zone      text        NOT NULL DEFAULT 'UTC',
    -- ISO days, Monday is 1.
    work_days      integer[]   NOT NULL DEFAULT '{1,2,3,4,5,6,7}',
    -- Minutes after midnight.
    work_from      integer     NOT NULL DEFAULT 0,
    work_until     integer     NOT NULL DEFAULT 1440,
    away_from      timestamptz,
    away_until     timestamptz,
    updated_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT lead_availability_pkey PRIMARY KEY (company_id, member_id),
    CONSTRAINT lead_availability_member_fkey FOREIGN KEY (company_id, member_id)
        REFERENCES memberships (company_id, id) ON DELETE CASCADE,
    CONSTRAINT lead_availability_hours_fit CHECK (0 <= work_from AND work_from < work_until AND work_until <= 1440),
    CONSTRAINT lead_availability_max_not_negative CHECK (open_leads_max >= 0),
    CONSTRAINT lead_availability_away_ends CHECK (away_until > away_from)
);

CREATE TABLE sla_policies (
    company_id      uuid        NOT NULL,
    id              uuid        NOT NULL,
    name            text        NOT NULL,
    position        integer     NOT NULL,
    is_active       boolean     NOT NULL DEFAULT true,
    conditions      jsonb       NOT NULL DEFAULT '[]',
    respond_minutes integer     NOT NULL,
    time_zone       text        NOT NULL DEFAULT 'UTC',
    work_days       integer[]   NOT NULL DEFAULT '{1,2,3,4,5,6,7}',
    work_from       integer     NOT NULL DEFAULT 0,
    work_until      integer     NOT NULL DEFAULT 1440,
    -- Told of every breach beside the owner.
    escalate_to     uuid,
    -- A lead in breach goes to the one it is escalated to.
    reassigns       boolean     NOT NULL DEFAULT false,
    version         integer     NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT sla_policies_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT sla_policies_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT sla_policies_escalate_fkey FOREIGN KEY (company_id, escalate_to) REFERENCES memberships (company_id, id),
    CONSTRAINT sla_policies_minutes_positive CHECK (respond_minutes > 0),
    CONSTRAINT sla_policies_hours_fit CHECK (0 <= work_from AND work_from < work_until AND work_until <= 1440),
    CONSTRAINT sla_policies_days_there CHECK (cardinality(work_days) > 0),
    CONSTRAINT sla_policies_reassigns_to CHECK (NOT reassigns OR escalate_to IS NOT NULL)
);

CREATE UNIQUE INDEX sla_policies_name_key ON sla_policies (company_id, lower(name));

CREATE TABLE sla_breaches (
    company_id   uuid        NOT NULL,
    id           uuid        NOT NULL,
    lead_id      uuid        NOT NULL,
    policy_id    uuid,
    owner_id     uuid,
    due_at       timestamptz NOT NULL,
    at           timestamptz NOT NULL DEFAULT now(),
    escalated_to uuid,
    reassigned   boolean     NOT NULL DEFAULT false,
    CONSTRAINT sla_breaches_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT sla_breaches_lead_fkey FOREIGN KEY (company_id, lead_id) REFERENCES leads (company_id, id) ON DELETE CASCADE,
    -- One promise is broken once.
    CONSTRAINT sla_breaches_promise_key UNIQUE (company_id, lead_id, due_at)
);

CREATE INDEX sla_breaches_by_time ON sla_breaches (company_id, at, id);

CREATE TABLE scoring_models (
    company_id     uuid        NOT NULL,
    id             uuid        NOT NULL,
    name           text        NOT NULL,
    is_active      boolean     NOT NULL DEFAULT false,
    -- After so many days what somebody did is worth half.
    half_life_days integer,
    -- From here on a lead is hot.
    hot_at         integer     NOT NULL DEFAULT 100,
    version        integer     NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT scoring_models_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT scoring_models_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT scoring_models_half_life_positive CHECK (half_life_days > 0)
);

CREATE UNIQUE INDEX scoring_models_name_key ON scoring_models (company_id, lower(name));
CREATE UNIQUE INDEX scoring_models_active_key ON scoring_models (company_id) WHERE is_active;

CREATE TABLE scoring_rules (
    company_id uuid    NOT NULL,
    id         uuid    NOT NULL,
    model_id   uuid    NOT NULL,
    name       text    NOT NULL,
    position   integer NOT NULL,
    points     integer NOT NULL,
    -- The event it counts; nil where it asks what the lead is.
    event      text,
    conditions jsonb   NOT NULL DEFAULT '[]',
    CONSTRAINT scoring_rules_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT scoring_rules_model_fkey FOREIGN KEY (company_id, model_id)
        REFERENCES scoring_models (company_id, id) ON DELETE CASCADE,
    CONSTRAINT scoring_rules_event_known CHECK (
        event IN ('form.submitted', 'activity.logged', 'activity.completed', 'email.opened', 'email.clicked'))
);

CREATE INDEX scoring_rules_by_model ON scoring_rules (company_id, model_id, position);

-- Each point of a score, and why it is there.
CREATE TABLE lead_points (
    company_id uuid        NOT NULL,
    lead_id    uuid        NOT NULL,
    rule_id    uuid        NOT NULL,
    -- The event that gave it; the lead itself for what the lead is.
    cause      uuid        NOT NULL,
    points     integer     NOT NULL,
    decays     boolean     NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT lead_points_pkey PRIMARY KEY (company_id, lead_id, rule_id, cause),
    CONSTRAINT lead_points_lead_fkey FOREIGN KEY (company_id, lead_id) REFERENCES leads (company_id, id) ON DELETE CASCADE,
    CONSTRAINT lead_points_rule_fkey FOREIGN KEY (company_id, rule_id)
        REFERENCES scoring_rules (company_id, id) ON DELETE CASCADE
);

CREATE INDEX lead_points_by_rule ON lead_points (company_id, rule_id);

-- When something is next due in the leads of a company: a promise, the decay of scores, the end of what lies in the trash.
CREATE TABLE lead_upkeep (
    company_id uuid        NOT NULL,
    due_at     timestamptz NOT NULL,
    CONSTRAINT lead_upkeep_pkey PRIMARY KEY (company_id)
);

CREATE INDEX lead_upkeep_due ON lead_upkeep (due_at);

COMMENT ON TABLE lead_upkeep IS 'infinity:local: the worker finds the companies in which something is due';

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['assignment_rules', 'assignment_members', 'lead_availability', 'sla_policies', 'sla_breaches',
        'scoring_models', 'scoring_rules', 'lead_points'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format($policy$CREATE POLICY tenant ON %I
            USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
            WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid)$policy$, name);
    END LOOP;
END $$;
