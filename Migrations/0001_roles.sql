-- The role that serving connections work as. It owns nothing and cannot pass by row-level security; whoever migrates
-- owns the tables, and what he makes later infinity_app may read and write as far as the policies let it.
--
-- Roles belong to the whole cluster: this one may be here already, and two databases may be migrated at once. An owner
-- who may not create roles can serve as himself as long as row-level security binds him; one whom it does not bind must
-- have the role made for him.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'infinity_app') THEN
        CREATE ROLE infinity_app NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
    WHEN insufficient_privilege THEN
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = current_user AND rolbypassrls) THEN RAISE; END IF;
END
$$;

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'infinity_app') THEN RETURN; END IF;
    -- The login role serves as infinity_app, so it should be a member; again, an owner bound by the policies can do
    -- without.
    IF NOT pg_has_role(current_user, 'infinity_app', 'MEMBER') THEN
        BEGIN
            EXECUTE format('GRANT infinity_app TO %I', current_user);
        EXCEPTION
            WHEN insufficient_privilege THEN
                IF EXISTS (SELECT FROM pg_roles WHERE rolname = current_user AND rolbypassrls) THEN RAISE; END IF;
        END;
    END IF;
    GRANT USAGE ON SCHEMA public TO infinity_app;
    GRANT SELECT ON schema_migrations TO infinity_app;
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO infinity_app;
END
$$;
