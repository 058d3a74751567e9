-- What a deal is made of and measured by: products and prices, competitors, reasons for losing, rates and targets.

-- How many digits stand behind the point of an amount in a currency.
CREATE FUNCTION minor_digits(currency text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'VND', 'VUV', 'XAF',
                          'XOF', 'XPF') THEN 0
        WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 3
        ELSE 2 END
$$;

-- What one unit of a currency is worth in the company's own, from a day on until the next.
CREATE TABLE exchange_rates (
    company_id uuid            NOT NULL,
    currency   text            NOT NULL,
    on_day     date            NOT NULL,
    rate       numeric(20, 10) NOT NULL,
    updated_at timestamptz     NOT NULL DEFAULT now(),
    CONSTRAINT exchange_rates_pkey PRIMARY KEY (company_id, currency, on_day),
    CONSTRAINT exchange_rates_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT exchange_rates_currency_form CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT exchange_rates_positive CHECK (rate > 0)
);

CREATE TABLE loss_reasons (
    company_id  uuid        NOT NULL,
    id          uuid        NOT NULL,
    name        text        NOT NULL,
    archived_at timestamptz,
    version     integer     NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT loss_reasons_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT loss_reasons_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id)
);

CREATE UNIQUE INDEX loss_reasons_name_key ON loss_reasons (company_id, lower(name));

CREATE TABLE competitors (
    company_id  uuid        NOT NULL,
    id          uuid        NOT NULL,
    name        text        NOT NULL,
    website     text,
    notes       text,
    archived_at timestamptz,
    version     integer     NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT competitors_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT competitors_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id)
);

CREATE UNIQUE INDEX competitors_name_key ON competitors (company_id, lower(name));

CREATE TABLE products (
    company_id  uuid        NOT NULL,
    id          uuid        NOT NULL,
    sku         text        NOT NULL,
    name        text        NOT NULL,
    description text,
    unit        text,
    tax_bp      integer     NOT NULL DEFAULT 0,
    archived_at timestamptz,
    version     integer     NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT products_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT products_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT products_tax_fits CHECK (tax_bp BETWEEN 0 AND 10000)
);

CREATE UNIQUE INDEX products_sku_key ON products (company_id, lower(sku));
CREATE INDEX products_by_name ON products (company_id, name, id);

-- The price list: one price of a product in each currency.
CREATE TABLE product_prices (
    company_id       uuid   NOT NULL,
    product_id       uuid   NOT NULL,
    currency         text   NOT NULL,
    unit_price_minor bigint NOT NULL,
    CONSTRAINT product_prices_pkey PRIMARY KEY (company_id, product_id, currency),
    CONSTRAINT product_prices_product_fkey FOREIGN KEY (company_id, product_id)
        REFERENCES products (company_id, id) ON DELETE CASCADE,
    CONSTRAINT product_prices_currency_form CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT product_prices_not_negative CHECK (unit_price_minor >= 0)
);

-- A line's net is quantity times price less the discount, rounded half up to the minor unit once; the deal's amount is the
-- sum of the nets. The tax is told beside it and is no part of what is won.
CREATE TABLE deal_lines (
    company_id          uuid        NOT NULL,
    id                  uuid        NOT NULL,
    deal_id             uuid        NOT NULL,
    product_id          uuid,
    name                text        NOT NULL,
    quantity_thousandths bigint     NOT NULL DEFAULT 1000,
    unit_price_minor    bigint      NOT NULL,
    discount_bp         integer     NOT NULL DEFAULT 0,
    tax_bp              integer     NOT NULL DEFAULT 0,
    net_minor           bigint      NOT NULL GENERATED ALWAYS AS (
        round(quantity_thousandths::numeric * unit_price_minor * (10000 - discount_bp) / 10000000)::bigint) STORED,
    position            integer     NOT NULL,
    version             integer     NOT NULL DEFAULT 1,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT deal_lines_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT deal_lines_deal_fkey FOREIGN KEY (company_id, deal_id) REFERENCES deals (company_id, id) ON DELETE CASCADE,
    CONSTRAINT deal_lines_product_fkey FOREIGN KEY (company_id, product_id) REFERENCES products (company_id, id),
    CONSTRAINT deal_lines_quantity_positive CHECK (quantity_thousandths > 0),
    CONSTRAINT deal_lines_price_not_negative CHECK (unit_price_minor >= 0),
    CONSTRAINT deal_lines_discount_fits CHECK (discount_bp BETWEEN 0 AND 10000),
    CONSTRAINT deal_lines_tax_fits CHECK (tax_bp BETWEEN 0 AND 10000)
);

CREATE INDEX deal_lines_by_deal ON deal_lines (company_id, deal_id, position);
CREATE INDEX deal_lines_by_product ON deal_lines (company_id, product_id) WHERE product_id IS NOT NULL;

-- Who of the client's side has to do with a deal, and as what.
CREATE TABLE deal_contacts (
    company_id uuid        NOT NULL,
    deal_id    uuid        NOT NULL,
    contact_id uuid        NOT NULL,
    role       text        NOT NULL DEFAULT 'other',
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT deal_contacts_pkey PRIMARY KEY (company_id, deal_id, contact_id),
    CONSTRAINT deal_contacts_deal_fkey FOREIGN KEY (company_id, deal_id) REFERENCES deals (company_id, id) ON DELETE CASCADE,
    CONSTRAINT deal_contacts_contact_fkey FOREIGN KEY (company_id, contact_id)
        REFERENCES contacts (company_id, id) ON DELETE CASCADE,
    CONSTRAINT deal_contacts_role_known CHECK (
        role IN ('decision_maker', 'champion', 'influencer', 'economic_buyer', 'user', 'blocker', 'other'))
);

CREATE INDEX deal_contacts_by_contact ON deal_contacts (company_id, contact_id, deal_id);

CREATE TABLE deal_competitors (
    company_id    uuid        NOT NULL,
    deal_id       uuid        NOT NULL,
    competitor_id uuid        NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT deal_competitors_pkey PRIMARY KEY (company_id, deal_id, competitor_id),
    CONSTRAINT deal_competitors_deal_fkey FOREIGN KEY (company_id, deal_id)
        REFERENCES deals (company_id, id) ON DELETE CASCADE,
    CONSTRAINT deal_competitors_competitor_fkey FOREIGN KEY (company_id, competitor_id)
        REFERENCES competitors (company_id, id)
);

CREATE INDEX deal_competitors_by_competitor ON deal_competitors (company_id, competitor_id);

CREATE TABLE deal_tags (
    company_id uuid NOT NULL,
    deal_id    uuid NOT NULL,
    tag_id     uuid NOT NULL,
    CONSTRAINT deal_tags_pkey PRIMARY KEY (company_id, deal_id, tag_id),
    CONSTRAINT deal_tags_deal_fkey FOREIGN KEY (company_id, deal_id) REFERENCES deals (company_id, id) ON DELETE CASCADE,
    CONSTRAINT deal_tags_tag_fkey FOREIGN KEY (company_id, tag_id) REFERENCES tags (company_id, id)
);

CREATE INDEX deal_tags_by_tag ON deal_tags (company_id, tag_id);

-- What somebody, a team or everybody is to win in a month, a quarter or a year, in the company's currency.
CREATE TABLE sales_targets (
    company_id  uuid        NOT NULL,
    id          uuid        NOT NULL,
    member_id   uuid,
    team_id     uuid,
    pipeline_id uuid,
    period      text        NOT NULL,
    starts_on   date        NOT NULL,
    amount_minor bigint     NOT NULL,
    version     integer     NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT sales_targets_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT sales_targets_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT sales_targets_member_fkey FOREIGN KEY (company_id, member_id)
        REFERENCES memberships (company_id, id) ON DELETE CASCADE,
    CONSTRAINT sales_targets_team_fkey FOREIGN KEY (company_id, team_id) REFERENCES teams (company_id, id) ON DELETE CASCADE,
    CONSTRAINT sales_targets_pipeline_fkey FOREIGN KEY (company_id, pipeline_id)
        REFERENCES pipelines (company_id, id) ON DELETE CASCADE,
    CONSTRAINT sales_targets_one_holder CHECK (member_id IS NULL OR team_id IS NULL),
    CONSTRAINT sales_targets_period_known CHECK (period IN ('month', 'quarter', 'year')),
    CONSTRAINT sales_targets_begins_period CHECK (starts_on = date_trunc(period, starts_on::timestamp)::date),
    CONSTRAINT sales_targets_positive CHECK (amount_minor > 0)
);

CREATE UNIQUE INDEX sales_targets_key ON sales_targets (
    company_id, period, starts_on, coalesce(member_id, '00000000-0000-0000-0000-000000000000'),
    coalesce(team_id, '00000000-0000-0000-0000-000000000000'), coalesce(pipeline_id, '00000000-0000-0000-0000-000000000000'));

ALTER TABLE deals
    -- The amount is the sum of the lines; else it was typed.
    ADD COLUMN amount_is_of_lines boolean NOT NULL DEFAULT false,
    ADD COLUMN lost_to_id uuid,
    -- What the owner has been told of: being stuck since this entering of a stage, and this closing day being over.
    ADD COLUMN stuck_told_for timestamptz,
    ADD COLUMN overdue_told_for date;
ALTER TABLE deals ADD CONSTRAINT deals_lost_reason_fkey
    FOREIGN KEY (company_id, lost_reason_id) REFERENCES loss_reasons (company_id, id);
ALTER TABLE deals ADD CONSTRAINT deals_lost_to_fkey
    FOREIGN KEY (company_id, lost_to_id) REFERENCES competitors (company_id, id);
ALTER TABLE deals ADD CONSTRAINT deals_lost_to_when_lost CHECK (stage_kind = 'lost' OR lost_to_id IS NULL);

CREATE INDEX deals_by_change ON deals (company_id, updated_at, id) WHERE deleted_at IS NULL;
CREATE INDEX deals_by_closing ON deals (company_id, (coalesce(close_on, '9999-12-31'::date)), id) WHERE deleted_at IS NULL;
CREATE INDEX deals_by_amount ON deals (company_id, (coalesce(base_minor, 0)), id) WHERE deleted_at IS NULL;
CREATE INDEX deals_by_name ON deals (company_id, name, id) WHERE deleted_at IS NULL;
-- The board: the first cards of a stage, with what is counted and summed of it, without looking at the rows.
CREATE INDEX deals_of_board ON deals (company_id, stage_id, rank) INCLUDE (base_minor, owner_id)
    WHERE deleted_at IS NULL AND archived_at IS NULL;

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'exchange_rates', 'loss_reasons', 'competitors', 'products', 'product_prices', 'deal_lines', 'deal_contacts',
        'deal_competitors', 'deal_tags', 'sales_targets'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format($policy$CREATE POLICY tenant ON %I
            USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
            WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid)$policy$, name);
    END LOOP;
END $$;

-- When a company's deals are looked through next for what is stuck, past its day, or at the end of its time in the trash.
CREATE TABLE deal_upkeep (
    company_id uuid        NOT NULL,
    due_at     timestamptz NOT NULL,
    CONSTRAINT deal_upkeep_pkey PRIMARY KEY (company_id)
);
CREATE INDEX deal_upkeep_due ON deal_upkeep (due_at);

COMMENT ON TABLE deal_upkeep IS 'infinity:local: the worker finds the companies in which something is due';
