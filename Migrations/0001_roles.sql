-- The role that serving connections work as. It owns nothing and cannot pass by row-level security; whoever migrates
-- owns the tables and grants it what it needs. Roles belong to the whole cluster, so it may be here already, and two
-- databases may be migrated at once.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'infinity_app') THEN
        CREATE ROLE infinity_app NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

-- The login role serves as infinity_app, so it must be a member.
DO $$
BEGIN
    IF NOT pg_has_role(current_user, 'infinity_app', 'MEMBER') THEN
        EXECUTE format('GRANT infinity_app TO %I', current_user);
    END IF;
END
$$;

GRANT USAGE ON SCHEMA public TO infinity_app;

-- Whatever table a later migration makes, infinity_app may read and write its rows; what it may see of them is up to
-- the policies of row-level security.
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO infinity_app;
