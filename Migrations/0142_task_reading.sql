-- What lists and boards show of a task is kept with it or read through an index that has it in the order asked for.

-- Beside task_assignees, in the order of assignment, and changed with it; how many sub-tasks count, and how many of these are
-- done. Both change in the transaction that changes what they say.
ALTER TABLE tasks
    ADD COLUMN assignee_ids       uuid[]  NOT NULL DEFAULT '{}',
    ADD COLUMN subtask_count      integer NOT NULL DEFAULT 0,
    ADD COLUMN subtask_done_count integer NOT NULL DEFAULT 0,
    -- Whether it has ever waited for another: only then is looked at whether it still does.
    ADD COLUMN has_blockers       boolean NOT NULL DEFAULT false;

-- The moment its task was made never changes: one's own tasks are read in their order from an index.
ALTER TABLE task_assignees ADD COLUMN task_created_at timestamptz;

-- The owner of the tables is bound by their policies like everybody else; the past of all companies is needed once.
ALTER TABLE tasks NO FORCE ROW LEVEL SECURITY;
ALTER TABLE task_assignees NO FORCE ROW LEVEL SECURITY;
ALTER TABLE task_relations NO FORCE ROW LEVEL SECURITY;

UPDATE task_assignees a SET task_created_at = t.created_at
  FROM tasks t WHERE t.company_id = a.company_id AND t.id = a.task_id;

UPDATE tasks t SET assignee_ids = held.ids
  FROM (SELECT company_id, task_id, array_agg(member_id ORDER BY assigned_at, member_id) AS ids
          FROM task_assignees GROUP BY company_id, task_id) held
 WHERE held.company_id = t.company_id AND held.task_id = t.id;

UPDATE tasks t SET subtask_count = held.count, subtask_done_count = held.done
  FROM (SELECT company_id, parent_id, count(*) FILTER (WHERE category <> 'cancelled') AS count,
               count(*) FILTER (WHERE category = 'completed') AS done
          FROM tasks WHERE parent_id IS NOT NULL AND deleted_at IS NULL GROUP BY company_id, parent_id) held
 WHERE held.company_id = t.company_id AND held.parent_id = t.id;

UPDATE tasks t SET has_blockers = true
 WHERE EXISTS (SELECT 1 FROM task_relations r
                WHERE r.company_id = t.company_id AND r.to_id = t.id AND r.kind = 'blocks');

ALTER TABLE tasks FORCE ROW LEVEL SECURITY;
ALTER TABLE task_assignees FORCE ROW LEVEL SECURITY;
ALTER TABLE task_relations FORCE ROW LEVEL SECURITY;

ALTER TABLE task_assignees ALTER COLUMN task_created_at SET NOT NULL;
ALTER TABLE tasks ADD CONSTRAINT tasks_subtasks_done_of_all CHECK (subtask_done_count BETWEEN 0 AND subtask_count);

CREATE INDEX task_assignees_by_age ON task_assignees (company_id, member_id, task_created_at, task_id);
DROP INDEX task_assignees_by_member;

-- A state is one project's. Without the project in the index there is no other index to read a column of the board from.
CREATE INDEX tasks_of_state ON tasks (company_id, state_id, rank) INCLUDE (points)
    WHERE deleted_at IS NULL AND archived_at IS NULL;
DROP INDEX tasks_by_state;

-- What a sprint's line in the list sums up, without a visit to the tasks.
CREATE INDEX tasks_in_sprint ON tasks (company_id, sprint_id, rank) INCLUDE (category, points)
    WHERE sprint_id IS NOT NULL AND deleted_at IS NULL;
DROP INDEX tasks_by_sprint;
