-- Workload, overdue work and what is left for a forecast look at the open tasks of a project alone, and most of a
-- project's tasks are done.
CREATE INDEX tasks_open ON tasks (company_id, project_id, due_at)
    WHERE deleted_at IS NULL AND archived_at IS NULL AND category IN ('backlog', 'unstarted', 'started');
