-- Companies: the tenants themselves. An agency's client companies point at it by parent_company_id.

CREATE TABLE companies (
    id                   uuid        NOT NULL,
    parent_company_id    uuid,
    slug                 text        NOT NULL,
    name                 text        NOT NULL,
    legal_name           text,
    description          text,
    website              text,
    status               text        NOT NULL DEFAULT 'active',
    -- Set while the grace period of a deletion runs.
    delete_after         timestamptz,
    deletion_asked_by    uuid,
    time_zone            text        NOT NULL DEFAULT 'UTC',
    locale               text        NOT NULL DEFAULT 'en',
    currency             text        NOT NULL DEFAULT 'EUR',
    -- ISO 8601: 1 is Monday, 7 is Sunday.
    week_starts_on       integer     NOT NULL DEFAULT 1,
    working_days         bigint[]    NOT NULL DEFAULT '{1,2,3,4,5}',
    logo_url             text,
    brand_color          text,
    allows_impersonation boolean     NOT NULL DEFAULT true,
    seat_limit           integer     NOT NULL DEFAULT 25,
    -- Counted anew, under this row's lock, in every transaction that changes who is in or who is an owner.
    owner_count          integer     NOT NULL DEFAULT 1,
    seats_used           integer     NOT NULL DEFAULT 1,
    version              integer     NOT NULL DEFAULT 1,
    created_at           timestamptz NOT NULL DEFAULT now(),
    updated_at           timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT companies_pkey PRIMARY KEY (id),
    CONSTRAINT companies_slug_key UNIQUE (slug),
    CONSTRAINT companies_parent_company_id_fkey FOREIGN KEY (parent_company_id) REFERENCES companies (id),
    CONSTRAINT companies_not_its_own_parent CHECK (parent_company_id <> id),
    CONSTRAINT companies_status_known CHECK (status IN ('active', 'suspended', 'deleting', 'deleted')),
    CONSTRAINT companies_deleting_has_a_day CHECK (status <> 'deleting' OR delete_after IS NOT NULL),
    CONSTRAINT companies_week_start_is_a_day CHECK (week_starts_on BETWEEN 1 AND 7),
    CONSTRAINT companies_working_days_are_days CHECK (working_days <@ '{1,2,3,4,5,6,7}'::bigint[]),
    CONSTRAINT companies_brand_color_is_hex CHECK (brand_color ~ '^#[0-9a-f]{6}$'),
    -- The rule that no company may ever be without an owner: whoever would take the last one away fails here.
    CONSTRAINT companies_never_ownerless CHECK (owner_count >= 1 OR status = 'deleted'),
    CONSTRAINT companies_seats_not_negative CHECK (seats_used >= 0 AND seat_limit >= 1)
);

CREATE INDEX companies_by_parent ON companies (parent_company_id) WHERE parent_company_id IS NOT NULL;
CREATE INDEX companies_due_for_deletion ON companies (delete_after) WHERE status = 'deleting';

-- Deletions that are due are found over all companies, which row-level security rightly forbids: so they stand
-- in a plain queue as well.
CREATE TABLE company_deletions (
    company_id   uuid        NOT NULL,
    delete_after timestamptz NOT NULL,
    CONSTRAINT company_deletions_pkey PRIMARY KEY (company_id)
);

CREATE INDEX company_deletions_due ON company_deletions (delete_after);
