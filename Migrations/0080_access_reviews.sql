-- A review of who may do what: every role and grant as it stood when the review was opened, each to be kept or taken away.

CREATE TABLE access_reviews (
    company_id uuid        NOT NULL,
    id         uuid        NOT NULL,
    name       text        NOT NULL,
    due_on     date,
    state      text        NOT NULL DEFAULT 'open',
    opened_by  uuid        NOT NULL,
    closed_by  uuid,
    closed_at  timestamptz,
    version    integer     NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT access_reviews_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT access_reviews_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT access_reviews_state_known CHECK (state IN ('open', 'closed')),
    CONSTRAINT access_reviews_closed_by_somebody CHECK (
        (state = 'closed') = (closed_at IS NOT NULL) AND (closed_at IS NULL) = (closed_by IS NULL))
);

CREATE TABLE access_review_items (
    company_id   uuid        NOT NULL,
    id           uuid        NOT NULL,
    review_id    uuid        NOT NULL,
    member_id    uuid        NOT NULL,
    kind         text        NOT NULL,
    -- No reference: a role may be deleted afterwards, and the review still tells what was decided.
    role_id      uuid        NOT NULL,
    role_name    text        NOT NULL,
    grant_id     uuid,
    object_type  text,
    object_id    uuid,
    granted_by   uuid,
    granted_at   timestamptz NOT NULL,
    last_used_on date,
    decision     text,
    note         text,
    decided_by   uuid,
    decided_at   timestamptz,
    -- What became of it when the review was closed.
    outcome      text,
    CONSTRAINT access_review_items_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT access_review_items_review_fkey FOREIGN KEY (company_id, review_id)
        REFERENCES access_reviews (company_id, id) ON DELETE CASCADE,
    CONSTRAINT access_review_items_member_fkey FOREIGN KEY (company_id, member_id)
        REFERENCES memberships (company_id, id) ON DELETE CASCADE,
    CONSTRAINT access_review_items_kind_known CHECK (kind IN ('role', 'grant')),
    CONSTRAINT access_review_items_grant_names_a_thing CHECK (
        (kind = 'grant') = (grant_id IS NOT NULL) AND (grant_id IS NULL) = (object_id IS NULL)),
    CONSTRAINT access_review_items_decision_known CHECK (decision IN ('keep', 'remove')),
    CONSTRAINT access_review_items_decided_by_somebody CHECK (
        (decision IS NULL) = (decided_by IS NULL) AND (decision IS NULL) = (decided_at IS NULL)),
    CONSTRAINT access_review_items_outcome_known CHECK (outcome IN ('kept', 'removed', 'gone'))
);

CREATE INDEX access_review_items_of_review ON access_review_items (company_id, review_id, member_id);
CREATE INDEX access_reviews_newest ON access_reviews (company_id, created_at DESC, id DESC);

ALTER TABLE access_reviews ENABLE ROW LEVEL SECURITY;
ALTER TABLE access_reviews FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON access_reviews
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

ALTER TABLE access_review_items ENABLE ROW LEVEL SECURITY;
ALTER TABLE access_review_items FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON access_review_items
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
