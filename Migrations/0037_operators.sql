-- Who runs this installation: sees its queues and settings, whatever company he is in. The serving role may read the
-- list and nothing more; it is written by `infinity operator`, which works as the owner of the tables.
CREATE TABLE operators (
    user_id  uuid        NOT NULL,
    since    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT operators_pkey PRIMARY KEY (user_id),
    CONSTRAINT operators_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'infinity_app') THEN
        REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON operators FROM infinity_app;
    END IF;
END
$$;
