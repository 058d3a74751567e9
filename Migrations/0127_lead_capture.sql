-- The door: forms on other people's pages, keys for their servers, and what came in, kept as it came.

CREATE TABLE forms (
    company_id      uuid        NOT NULL,
    id              uuid        NOT NULL,
    name            text        NOT NULL,
    -- The public part of its address; the company stands in it too.
    token           text        NOT NULL,
    fields          jsonb       NOT NULL,
    -- Pages that may send it; none means any.
    allowed_origins text[]      NOT NULL DEFAULT '{}',
    -- Filled by machines alone.
    honeypot        text        NOT NULL DEFAULT 'website_url',
    -- Zero bits a sender has to find; 0 asks for no work.
    work_bits       integer     NOT NULL DEFAULT 0,
    redirect_url    text,
    consent_text    text,
    double_opt_in   boolean     NOT NULL DEFAULT false,
    source_id       uuid,
    -- Whoever gets its leads; nil leaves it to the rules.
    owner_id        uuid,
    notify_ids      uuid[]      NOT NULL DEFAULT '{}',
    -- Within so many days what the same person sends goes to the open lead there is.
    attach_days     integer     NOT NULL DEFAULT 30,
    published_at    timestamptz,
    created_by      uuid,
    version         integer     NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT forms_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT forms_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT forms_source_fkey FOREIGN KEY (company_id, source_id) REFERENCES lead_sources (company_id, id),
    CONSTRAINT forms_owner_fkey FOREIGN KEY (company_id, owner_id) REFERENCES memberships (company_id, id),
    CONSTRAINT forms_token_key UNIQUE (company_id, token),
    CONSTRAINT forms_work_bits_fit CHECK (work_bits BETWEEN 0 AND 24),
    CONSTRAINT forms_attach_days_fit CHECK (attach_days BETWEEN 0 AND 365)
);

CREATE UNIQUE INDEX forms_name_key ON forms (company_id, lower(name));

CREATE TABLE capture_keys (
    company_id   uuid        NOT NULL,
    id           uuid        NOT NULL,
    name         text        NOT NULL,
    key_sha256   bytea       NOT NULL,
    hint         text        NOT NULL,
    source_id    uuid,
    owner_id     uuid,
    attach_days  integer     NOT NULL DEFAULT 30,
    last_used_at timestamptz,
    revoked_at   timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT capture_keys_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT capture_keys_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT capture_keys_source_fkey FOREIGN KEY (company_id, source_id) REFERENCES lead_sources (company_id, id),
    CONSTRAINT capture_keys_owner_fkey FOREIGN KEY (company_id, owner_id) REFERENCES memberships (company_id, id),
    CONSTRAINT capture_keys_key_key UNIQUE (company_id, key_sha256)
);

-- What came in is written here before anything is decided about it, and nothing is turned away for being there already.
CREATE TABLE submissions (
    company_id     uuid        NOT NULL,
    id             uuid        NOT NULL,
    form_id        uuid,
    capture_key_id uuid,
    state          text        NOT NULL DEFAULT 'received',
    reason         text,
    raw            jsonb       NOT NULL,
    sha256         bytea       NOT NULL,
    -- The sender's own Idempotency-Key, as a digest with the form.
    repeat_key     bytea,
    email_norm     text,
    address        text,
    origin         text,
    user_agent     text,
    contact_id     uuid,
    lead_id        uuid,
    is_new_lead    boolean,
    confirm_sha256 bytea,
    confirm_until  timestamptz,
    confirmed_at   timestamptz,
    processed_at   timestamptz,
    received_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT submissions_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT submissions_form_fkey FOREIGN KEY (company_id, form_id) REFERENCES forms (company_id, id),
    CONSTRAINT submissions_key_fkey FOREIGN KEY (company_id, capture_key_id) REFERENCES capture_keys (company_id, id),
    CONSTRAINT submissions_contact_fkey FOREIGN KEY (company_id, contact_id) REFERENCES contacts (company_id, id),
    CONSTRAINT submissions_lead_fkey FOREIGN KEY (company_id, lead_id) REFERENCES leads (company_id, id),
    CONSTRAINT submissions_repeat_key UNIQUE (company_id, repeat_key),
    CONSTRAINT submissions_confirm_key UNIQUE (company_id, confirm_sha256),
    CONSTRAINT submissions_state_known
        CHECK (state IN ('received', 'unconfirmed', 'processed', 'held', 'spam', 'error')),
    CONSTRAINT submissions_come_one_way CHECK (num_nonnulls(form_id, capture_key_id) = 1)
);

CREATE INDEX submissions_by_form ON submissions (company_id, form_id, received_at, id);
CREATE INDEX submissions_by_state ON submissions (company_id, state, received_at, id);
CREATE INDEX submissions_by_digest ON submissions (company_id, sha256, received_at);
CREATE INDEX submissions_by_email ON submissions (company_id, email_norm) WHERE email_norm IS NOT NULL;
CREATE INDEX submissions_by_contact ON submissions (company_id, contact_id) WHERE contact_id IS NOT NULL;
CREATE INDEX submissions_by_lead ON submissions (company_id, lead_id) WHERE lead_id IS NOT NULL;

-- A proof of work is good for one submission.
CREATE TABLE form_challenges (
    company_id uuid        NOT NULL,
    sha256     bytea       NOT NULL,
    used_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT form_challenges_pkey PRIMARY KEY (company_id, sha256)
);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['forms', 'capture_keys', 'submissions', 'form_challenges'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format($policy$CREATE POLICY tenant ON %I
            USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
            WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid)$policy$, name);
    END LOOP;
END $$;
