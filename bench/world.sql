-- So many companies (200) of 125 people, 60 teams and 400 audit rows each, copied from the one company that was signed
-- up through the API: whatever columns the tables have, the copies have them too.
BEGIN;
SET LOCAL synchronous_commit = off;
SET LOCAL work_mem = '64MB';

-- Identifiers as the application makes them: version 7, in order of time, so that indexes are as dense as in life.
CREATE FUNCTION pg_temp.uuid7(at timestamptz) RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT encode(overlay(overlay(uuid_send(gen_random_uuid())
        PLACING substring(int8send((extract(epoch FROM at) * 1000)::bigint) FROM 3) FROM 1 FOR 6)
        PLACING set_byte('\x00', 0, 112 + floor(random() * 16)::int) FROM 7 FOR 1), 'hex')::uuid
$$;

CREATE TEMP TABLE model AS
    SELECT u AS person, c AS company, m AS membership
      FROM users u JOIN memberships m ON m.user_id = u.id JOIN companies c ON c.id = m.company_id
     WHERE u.email_norm = 'owner@bench.example';

CREATE TEMP TABLE new_company AS
    SELECT n, pg_temp.uuid7(now() - interval '400 days' + n * interval '1 hour') AS id
      FROM generate_series(1, :companies) AS n;

CREATE TEMP TABLE new_person AS
    SELECT n, k, c.id AS company_id,
           pg_temp.uuid7(now() - interval '300 days' + (n * 125 + k) * interval '1 minute') AS user_id,
           pg_temp.uuid7(now() - interval '300 days' + (n * 125 + k) * interval '1 minute') AS member_id
      FROM new_company c, generate_series(1, 125) AS k;

INSERT INTO companies
    SELECT (jsonb_populate_record(company, jsonb_build_object(
               'id', n.id, 'slug', 'bench-' || n.n, 'name', 'Bench company ' || n.n, 'seat_limit', 1000, 'seats_used', 125))).*
      FROM model, new_company n;

INSERT INTO users
    SELECT (jsonb_populate_record(person, jsonb_build_object(
               'id', n.user_id, 'email', format('p%s.%s@bench.example', n.k, n.n),
               'email_norm', format('p%s.%s@bench.example', n.k, n.n),
               'name', format('Person %s of %s', n.k, n.n), 'email_verified_at', now()))).*
      FROM model, new_person n;

INSERT INTO memberships
    SELECT (jsonb_populate_record(membership, jsonb_build_object(
               'id', n.member_id, 'company_id', n.company_id, 'user_id', n.user_id,
               'joined_at', now() - interval '200 days' + (n.n * 125 + n.k) * interval '1 minute'))).*
      FROM model, new_person n;

INSERT INTO roles
    SELECT (jsonb_populate_record(r, jsonb_build_object('id', pg_temp.uuid7(now()), 'company_id', n.id))).*
      FROM model JOIN roles r ON r.company_id = (company).id, new_company n;

-- The first of each company owns it; the others are members.
INSERT INTO member_roles (company_id, member_id, role_id)
    SELECT n.company_id, n.member_id, r.id
      FROM new_person n
      JOIN roles r ON r.company_id = n.company_id AND r.key = CASE n.k WHEN 1 THEN 'owner' ELSE 'member' END;

INSERT INTO teams (company_id, id, name, description, color, member_count, created_at, updated_at)
    SELECT c.id, pg_temp.uuid7(at), 'Team ' || k || ' of company ' || c.n,
           'Plans, writes and reviews what company ' || c.n || ' publishes; "quoted", and every second week on call.',
           '#3b82f6', 5, at, at
      FROM new_company c, generate_series(1, 60) AS k,
           LATERAL (SELECT now() - interval '100 days' + (c.n * 60 + k) * interval '1 minute' AS at) t;

INSERT INTO team_members (company_id, team_id, member_id)
    SELECT t.company_id, t.id, p.member_id
      FROM teams t JOIN new_person p ON p.company_id = t.company_id AND p.k <= 5;

INSERT INTO audit_log (company_id, id, at, actor_kind, actor_id, action, target_type, target_id, before, after, address, request_id)
    SELECT p.company_id, pg_temp.uuid7(at), at, 'user', p.user_id, 'team.updated', 'team', t.id,
           jsonb_build_object('name', 'An earlier name'), jsonb_build_object('name', t.name), '198.51.100.7',
           gen_random_uuid()::text
      FROM new_person p
      JOIN LATERAL (SELECT id, name FROM teams WHERE company_id = p.company_id ORDER BY id LIMIT 4) t ON true,
           LATERAL (SELECT now() - interval '90 days' + (p.n * 125 + p.k) * interval '1 minute' AS at) moment
     WHERE p.k <= 100;

COMMIT;
VACUUM (ANALYZE);
CHECKPOINT;
