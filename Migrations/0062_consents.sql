-- What somebody agreed to, and what she took back. A row is one decision; none is ever changed, so that it proves
-- something: what holds now is the newest decision about a purpose.

CREATE TABLE consents (
    company_id   uuid        NOT NULL,
    id           uuid        NOT NULL,
    -- A person with an account, or somebody known by an address.
    user_id      uuid,
    email        text,
    purpose      text        NOT NULL,
    -- Which wording was shown.
    text_version text        NOT NULL,
    decision     text        NOT NULL,
    -- Where it was decided: a form, a call, an import.
    source       text        NOT NULL,
    note         text,
    -- From where, when the person herself decided.
    address      text,
    recorded_by  uuid,
    at           timestamptz NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT consents_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT consents_decision_known CHECK (decision IN ('given', 'withdrawn')),
    CONSTRAINT consents_of_somebody CHECK (user_id IS NOT NULL OR email IS NOT NULL),
    CONSTRAINT consents_email_is_lower CHECK (email = lower(email))
);

CREATE INDEX consents_newest ON consents (company_id, at DESC, id DESC);
CREATE INDEX consents_of_address ON consents (company_id, email, purpose, at DESC);
CREATE INDEX consents_of_user ON consents (company_id, user_id, purpose, at DESC);

ALTER TABLE consents ENABLE ROW LEVEL SECURITY;
ALTER TABLE consents FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON consents
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);

REVOKE UPDATE, TRUNCATE ON consents FROM infinity_app;
