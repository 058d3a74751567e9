-- What each instance has counted lately, for the others to add to their own; rows live for three seconds. Unlogged: it
-- is written often, and after a crash counting begins anew anyway.
CREATE UNLOGGED TABLE rate_exchange (
    node   uuid        NOT NULL,
    tick   bigint      NOT NULL,
    at     timestamptz NOT NULL DEFAULT now(),
    -- Policy, caller and count, 28 bytes each.
    counts bytea       NOT NULL,
    CONSTRAINT rate_exchange_pkey PRIMARY KEY (node, tick)
);
