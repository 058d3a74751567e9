-- Tasks with their history and sprints for the companies of world.sql: :projects projects each, with :tasks tasks that were
-- made evenly over the last 26 weeks. Thirteen sprints of two weeks; the last one is active.
SET synchronous_commit = off;
SET maintenance_work_mem = '512MB';
SET work_mem = '64MB';
-- Checks of foreign keys row by row would take most of the time; what is made here fits by its making.
SET session_replication_role = replica;

CREATE FUNCTION pg_temp.id(text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT md5($1)::uuid $$;
-- A share of one, the same for the same text.
CREATE FUNCTION pg_temp.share(text) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
    SELECT (('x' || substr(md5($1), 1, 8))::bit(32)::bigint) / 4294967296.0
$$;

CREATE TEMP TABLE new_project AS
    SELECT c.id AS company_id, pg_temp.id(c.id || 'project' || n) AS id, n
      FROM companies c, generate_series(1, :projects) n WHERE c.slug LIKE 'bench-%';

INSERT INTO projects (company_id, id, key, name, status, time_zone, next_number)
    SELECT company_id, id, 'P' || n, 'Project ' || n, 'active', 'Europe/Berlin', :tasks + 1 FROM new_project;

CREATE TEMP TABLE new_state AS
    SELECT p.company_id, p.id AS project_id, pg_temp.id(p.id || s.name) AS id, s.*
      FROM new_project p, (VALUES ('Backlog', 'backlog', 1), ('To do', 'unstarted', 2), ('In progress', 'started', 3),
                                  ('Done', 'completed', 4), ('Cancelled', 'cancelled', 5)) s(name, category, position);

INSERT INTO project_states (company_id, id, project_id, name, category, position, is_initial)
    SELECT company_id, id, project_id, name, category, position, category = 'unstarted' FROM new_state;

CREATE TEMP TABLE new_sprint AS
    SELECT p.company_id, p.id AS project_id, fortnight AS n, pg_temp.id(p.id || 'sprint' || fortnight) AS id,
           (now() - interval '182 days' + fortnight * interval '14 days')::date AS starts_on
      FROM new_project p, generate_series(0, 12) fortnight;

INSERT INTO sprints (company_id, id, project_id, name, status, starts_on, ends_on, started_at, closed_at)
    SELECT company_id, id, project_id, 'Sprint ' || n + 1, CASE WHEN n < 12 THEN 'closed' ELSE 'active' END, starts_on,
           starts_on + 13, starts_on + time '08:00', CASE WHEN n < 12 THEN starts_on + 13 + time '16:00' END
      FROM new_sprint;

-- Every task with the moments of its life; what lies in the future has not happened.
CREATE TEMP TABLE life AS
    SELECT p.company_id, p.id AS project_id, k, pg_temp.id(p.id || 'task' || k) AS id, made,
           made + (1 + 9 * pg_temp.share(p.id || 's' || k)) * interval '1 day' AS started,
           made + (1 + 9 * pg_temp.share(p.id || 's' || k) + 0.5 + 5 * pg_temp.share(p.id || 'd' || k)) * interval '1 day' AS ended,
           pg_temp.share(p.id || 'c' || k) < 0.05 AS is_given_up,
           1 + floor(8 * pg_temp.share(p.id || 'p' || k))::int AS points,
           1 + floor(20 * pg_temp.share(p.id || 'a' || k))::int AS person
      FROM new_project p, generate_series(1, :tasks) k,
           LATERAL (SELECT now() - interval '182 days' + (k * 181.0 / :tasks) * interval '1 day' AS made) m;

CREATE TEMP TABLE new_task AS
    SELECT l.*, s.id AS sprint_id, s.starts_on,
           CASE WHEN l.ended <= now() THEN CASE WHEN l.is_given_up THEN 'cancelled' ELSE 'completed' END
                WHEN l.started <= now() THEN 'started' WHEN k % 3 = 0 THEN 'backlog' ELSE 'unstarted' END AS category
      FROM life l
      LEFT JOIN new_sprint s ON s.project_id = l.project_id AND l.k % 5 > 0
                            AND s.n = floor(extract(epoch FROM l.started - (now() - interval '182 days')) / 1209600)
                            AND s.n <= 12;

INSERT INTO tasks (company_id, id, project_id, number, title, description, state_id, category, priority, rank, sprint_id,
                   points, estimate_minutes, due_on, due_at, completed_at, created_at, updated_at, parent_id)
    SELECT t.company_id, t.id, t.project_id, t.k,
           (ARRAY['Write', 'Review', 'Publish', 'Plan', 'Measure', 'Design'])[1 + t.k % 6] || ' the '
               || (ARRAY['landing page', 'newsletter', 'launch video', 'price list', 'survey', 'case study', 'banner'])[1 + t.k % 7]
               || ' number ' || t.k,
           'What was agreed on, with the links and the people to ask; it is to be done before the end of the sprint.',
           s.id, t.category, (ARRAY['none', 'low', 'medium', 'high', 'urgent'])[1 + t.k % 5], 'r' || lpad(t.k::text, 7, '0'),
           t.sprint_id, t.points, t.points * 60, d.due_on, (d.due_on + time '24:00') AT TIME ZONE 'Europe/Berlin',
           CASE WHEN t.category = 'completed' THEN t.ended END, t.made, least(t.ended, now()),
           -- Every tenth task is made of the three that follow it.
           CASE WHEN t.k % 10 BETWEEN 1 AND 3 AND t.k > 10 THEN pg_temp.id(t.project_id || 'task' || t.k - t.k % 10) END
      FROM new_task t
      JOIN new_state s ON s.project_id = t.project_id AND s.category = t.category
     CROSS JOIN LATERAL (SELECT CASE WHEN t.k % 3 = 0 THEN t.ended::date END AS due_on) d
     ORDER BY t.company_id, t.made;

INSERT INTO task_assignees (company_id, task_id, member_id, assigned_at, task_created_at)
    SELECT t.company_id, t.id, m.ids[t.person], t.made, t.made
      FROM new_task t
      JOIN (SELECT company_id, (array_agg(id ORDER BY id))[1:20] AS ids FROM memberships GROUP BY company_id) m USING (company_id);

-- What a task shows of others.
UPDATE tasks t SET assignee_ids = ARRAY[a.member_id],
       subtask_count = coalesce(p.count, 0), subtask_done_count = coalesce(p.done, 0)
  FROM task_assignees a
  LEFT JOIN (SELECT parent_id, count(*) FILTER (WHERE category <> 'cancelled') AS count,
                    count(*) FILTER (WHERE category = 'completed') AS done
               FROM tasks GROUP BY parent_id) p ON p.parent_id = a.task_id
 WHERE a.company_id = t.company_id AND a.task_id = t.id;

-- Every twentieth task waits for the one before it.
INSERT INTO task_relations (company_id, id, kind, from_id, to_id)
    SELECT company_id, pg_temp.id(id || 'blocked'), 'blocks', pg_temp.id(project_id || 'task' || k - 1), id
      FROM new_task WHERE k % 20 = 0;
UPDATE tasks SET has_blockers = true WHERE number % 20 = 0;

-- Ten tags, two on each task.
INSERT INTO tags (company_id, id, name)
    SELECT DISTINCT p.company_id, pg_temp.id(p.company_id || 'tag' || tag.n), 'tag ' || tag.n FROM new_project p, generate_series(0, 9) tag (n);
INSERT INTO task_tags (company_id, task_id, tag_id)
    SELECT company_id, id, pg_temp.id(company_id || 'tag' || (k + turn.n * 3) % 10) FROM new_task, generate_series(0, 1) turn (n);

-- The words by which they are found.
INSERT INTO search_uses (company_id, kind, word, subject_id, weight)
    SELECT t.company_id, 'task', w.word, t.id, max(w.weight)
      FROM tasks t
     CROSS JOIN LATERAL (
        SELECT regexp_split_to_table(lower(t.title), '[^a-z0-9]+') AS word, 2 AS weight
        UNION ALL SELECT regexp_split_to_table(lower(t.description), '[^a-z0-9]+'), 1) w
     WHERE w.word <> ''
     GROUP BY 1, 3, 4;
INSERT INTO search_words (company_id, word, draw) SELECT DISTINCT company_id, word, 1 FROM search_uses;
INSERT INTO search_variants (company_id, variant, word, draw)
    SELECT DISTINCT company_id, left(word, n - 1) || substr(word, n + 1), word, 1
      FROM search_words, generate_series(1, 20) n
     WHERE char_length(word) BETWEEN greatest(4, n) AND 20 AND word !~ '[0-9]';

-- Made, begun, ended, in the order of time as life would write it.
INSERT INTO task_flow (company_id, id, at, project_id, task_id, category_before, category, state_id, sprint_id, points,
                       estimate_minutes, entered_at, started_at, actor_kind)
    SELECT t.company_id, pg_temp.id(t.id || step.now), step.at, t.project_id, t.id, step.was, step.now, s.id, t.sprint_id,
           t.points, t.points * 60, t.made, CASE WHEN step.now IN ('started', 'completed') THEN t.started END, 'user'
      FROM new_task t
     CROSS JOIN LATERAL (VALUES
        (t.made, NULL, 'unstarted'), (t.started, 'unstarted', 'started'),
        (t.ended, 'started', CASE WHEN t.is_given_up THEN 'cancelled' ELSE 'completed' END)) step(at, was, now)
      JOIN new_state s ON s.project_id = t.project_id AND s.category = step.now
     WHERE step.at <= now()
     ORDER BY step.at;

INSERT INTO sprint_events (company_id, id, at, sprint_id, task_id, kind, count_before, count_after, points_before, points_after,
                           minutes_before, minutes_after, done_before, done_after, actor_kind)
    SELECT t.company_id, pg_temp.id(t.id || 'scope' || step.kind), step.at, t.sprint_id, t.id, step.kind, step.before, step.after,
           step.before * t.points, step.after * t.points, step.before * t.points * 60, step.after * t.points * 60,
           false, step.kind = 'completed', 'user'
      FROM new_task t
     CROSS JOIN LATERAL (VALUES
        (CASE WHEN t.k % 6 = 0 THEN t.started ELSE t.starts_on + time '07:00' END, 'added', 0, 1),
        (t.ended, CASE WHEN t.is_given_up THEN 'cancelled' ELSE 'completed' END, 1, CASE WHEN t.is_given_up THEN 0 ELSE 1 END))
            step(at, kind, before, after)
     WHERE t.sprint_id IS NOT NULL AND step.at <= now()
     ORDER BY step.at;

INSERT INTO sprint_reports (company_id, id, sprint_id, closing, frozen_at, committed_count, committed_points,
                            committed_minutes, done_count, done_points, done_minutes, report)
    SELECT s.company_id, pg_temp.id(s.id || 'report'), s.id, 1, s.starts_on + 13 + time '16:00', count(t.id),
           coalesce(sum(t.points), 0), coalesce(sum(t.points * 60), 0), count(t.id) FILTER (WHERE t.category = 'completed'),
           coalesce(sum(t.points) FILTER (WHERE t.category = 'completed'), 0),
           coalesce(sum(t.points * 60) FILTER (WHERE t.category = 'completed'), 0), '{}'
      FROM new_sprint s LEFT JOIN new_task t ON t.sprint_id = s.id
     WHERE s.n < 12 GROUP BY s.company_id, s.id, s.starts_on;

-- An entry for every second task that was begun.
INSERT INTO time_entries (company_id, id, project_id, task_id, member_id, started_at, worked_on, minutes, is_billable)
    SELECT a.company_id, pg_temp.id(t.id || 'time'), t.project_id, t.id, a.member_id, t.started, t.started::date, 15 + t.k % 240, true
      FROM new_task t JOIN task_assignees a ON a.company_id = t.company_id AND a.task_id = t.id
     WHERE t.k % 2 = 0 AND t.started <= now();

RESET session_replication_role;
