/// One rule on the live catalogue: a query that names what breaks it.
struct CatalogueRule {
    let name: String
    let sentence: String
    /// Gives one column, the object; stands after `tables`.
    let sql: String

    /// The tables of the schema, and among them the tenants'.
    static let tables = """
        WITH tables AS (
            SELECT c.oid, c.relname, c.relrowsecurity, c.relforcerowsecurity, c.relispartition,
                   coalesce(obj_description(c.oid, 'pg_class'), '') LIKE 'infinity:local%' AS is_local,
                   a.attnum AS company, a.attnotnull AS company_not_null, a.atttypid AS company_type
            FROM pg_class c
            LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'company_id' AND NOT a.attisdropped
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
        ), tenants AS (SELECT * FROM tables WHERE company IS NOT NULL AND NOT is_local),
        others AS (SELECT * FROM tables WHERE company IS NULL OR is_local)

        """

    static let all: [CatalogueRule] = keys + references + security + values + objects

    private static let keys = [
        CatalogueRule(
            name: "company-id", sentence: "company_id must be uuid NOT NULL",
            sql: "SELECT relname FROM tenants WHERE NOT company_not_null OR company_type <> 'uuid'::regtype"),
        CatalogueRule(
            name: "primary-key", sentence: "has no primary key, which replication needs",
            sql: """
                SELECT relname FROM tables t
                WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = t.oid AND k.contype = 'p')
                """),
        CatalogueRule(
            name: "tenant-key", sentence: "every key of a tenant's table must begin with company_id",
            sql: """
                SELECT t.relname || '.' || i.indexrelid::regclass FROM tenants t
                JOIN pg_index i ON i.indrelid = t.oid AND i.indisunique WHERE i.indkey[0] <> t.company
                """),
        CatalogueRule(
            name: "tenant-exclusion",
            sentence: "every exclusion of a tenant's table must begin with company_id",
            sql: """
                SELECT t.relname || '.' || k.conname FROM tenants t
                JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'x' WHERE k.conkey[1] <> t.company
                """),
        CatalogueRule(
            name: "named-constraint",
            sentence: "has a name PostgreSQL made up: say what the constraint demands",
            sql: """
                SELECT t.relname || '.' || k.conname FROM tables t
                JOIN pg_constraint k ON k.conrelid = t.oid AND NOT t.relispartition
                WHERE k.conname ~ '_check[0-9]*$' OR k.conname ~ '_(fkey|key|excl|pkey)[0-9]+$'
                """),
    ]

    private static let references = [
        CatalogueRule(
            name: "no-set-null",
            sentence:
                "SET NULL and SET DEFAULT do not work on distributed tables: clear the link in the same transaction",
            sql: """
                SELECT t.relname || '.' || k.conname FROM tables t JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'f'
                WHERE k.confdeltype IN ('n', 'd') OR k.confupdtype IN ('n', 'd')
                """),
        CatalogueRule(
            name: "composite-reference",
            sentence: "a reference between tenants' tables must begin with company_id on both sides",
            sql: """
                SELECT t.relname || '.' || k.conname FROM tenants t
                JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'f' JOIN tenants r ON r.oid = k.confrelid
                WHERE k.conkey[1] <> t.company OR k.confkey[1] <> r.company
                """),
        CatalogueRule(
            name: "no-reference-into-tenants", sentence: "a table of no tenant cannot point into a tenant's",
            sql: """
                SELECT o.relname || '.' || k.conname FROM others o
                JOIN pg_constraint k ON k.conrelid = o.oid AND k.contype = 'f' JOIN tenants r ON r.oid = k.confrelid
                """),
        CatalogueRule(
            name: "no-reference-to-local",
            sentence: "a tenant's table cannot point at a table that is kept on one node",
            sql: """
                SELECT t.relname || '.' || k.conname FROM tenants t
                JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'f'
                JOIN tables r ON r.oid = k.confrelid AND r.is_local
                """),
    ]

    private static let security = [
        CatalogueRule(
            name: "row-level-security",
            sentence:
                "row-level security must be enabled and forced; a queue of the whole installation says infinity:local in its comment",
            sql: "SELECT relname FROM tenants WHERE NOT relrowsecurity OR NOT relforcerowsecurity"),
        CatalogueRule(
            name: "tenant-policy",
            sentence: "needs the policy `tenant`, for all commands, on company_id and app.company_id",
            sql: """
                SELECT t.relname FROM tenants t WHERE NOT EXISTS (
                    SELECT FROM pg_policy p WHERE p.polrelid = t.oid AND p.polname = 'tenant' AND p.polcmd = '*' AND p.polpermissive
                    AND pg_get_expr(p.polqual, t.oid)
                        = '(company_id = (NULLIF(current_setting(''app.company_id''::text, true), ''''::text))::uuid)'
                    AND coalesce(pg_get_expr(p.polwithcheck, t.oid), pg_get_expr(p.polqual, t.oid))
                        = pg_get_expr(p.polqual, t.oid))
                """),
        CatalogueRule(
            name: "no-second-way-to-write",
            sentence: "a further policy may only show rows, never let them be written",
            sql: """
                SELECT t.relname || '.' || p.polname FROM tenants t JOIN pg_policy p ON p.polrelid = t.oid
                WHERE p.polname <> 'tenant' AND p.polcmd <> 'r' AND p.polpermissive
                """),
        CatalogueRule(
            name: "plain-policy", sentence: "a policy of a distributed table takes no subquery",
            sql: """
                SELECT t.relname || '.' || p.polname FROM tenants t JOIN pg_policy p ON p.polrelid = t.oid
                WHERE coalesce(pg_get_expr(p.polqual, t.oid), '') || coalesce(pg_get_expr(p.polwithcheck, t.oid), '') ~ '\\mSELECT\\M'
                """),
        CatalogueRule(
            name: "invoker-view",
            sentence:
                "a view reads as its owner, past row-level security, unless it is made WITH (security_invoker = true)",
            sql: """
                SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'v'
                AND NOT coalesce(c.reloptions, '{}') && ARRAY['security_invoker=true', 'security_invoker=on', 'security_invoker=1']
                """),
        CatalogueRule(
            name: "no-definer",
            sentence: """
                a SECURITY DEFINER function reads as its owner, past row-level security; one that reads no rows says so \
                in its comment: infinity:definer: why
                """,
            sql: """
                SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef
                AND coalesce(obj_description(p.oid, 'pg_proc'), '') NOT LIKE 'infinity:definer:%'
                """
        ),
        CatalogueRule(
            name: "bound-role",
            sentence: "the serving role must not be a superuser, bypass row-level security or own tables",
            sql: """
                SELECT r.rolname FROM pg_roles r WHERE r.rolname = 'infinity_app' AND (r.rolsuper OR r.rolbypassrls
                OR EXISTS (SELECT FROM pg_class c WHERE c.relowner = r.oid AND c.relnamespace = 'public'::regnamespace))
                """),
    ]

    private static let values = [
        CatalogueRule(
            name: "no-sequence",
            sentence:
                "a sequence is one for all companies: identifiers are UUIDs, numbers come from a counter row",
            sql: """
                SELECT t.relname || '.' || a.attname FROM tenants t
                JOIN pg_attribute a ON a.attrelid = t.oid AND NOT a.attisdropped
                LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                WHERE a.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) ~ '\\mnextval\\('
                """),
        CatalogueRule(
            name: "no-volatile-default",
            sentence: "a volatile default cannot be sent to a shard: the program gives the value",
            sql: """
                SELECT t.relname || '.' || a.attname FROM tenants t
                JOIN pg_attribute a ON a.attrelid = t.oid AND NOT a.attisdropped
                JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                WHERE pg_get_expr(d.adbin, d.adrelid) ~ '\\m(gen_random_uuid|uuid_generate_\\w+|clock_timestamp|timeofday|random|txid_current|pg_current_xact_id)\\('
                """),
    ]

    private static let objects = [
        CatalogueRule(
            name: "no-trigger",
            sentence:
                "a distributed table takes no triggers: write the effect in the same statement or transaction",
            sql:
                "SELECT t.relname || '.' || g.tgname FROM tables t JOIN pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal"
        ),
        CatalogueRule(
            name: "no-extension", sentence: "extensions are not everywhere, and may need a superuser",
            sql: "SELECT extname FROM pg_extension WHERE extname <> 'plpgsql'"),
        CatalogueRule(
            name: "no-materialised-view",
            sentence:
                "a materialised view stays on one node and knows no row-level security: keep a roll-up table",
            sql: "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'm'"),
    ]
}
