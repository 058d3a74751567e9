-- What a project wants to have reached, and by when.

CREATE TABLE project_milestones (
    company_id   uuid        NOT NULL,
    id           uuid        NOT NULL,
    project_id   uuid        NOT NULL,
    name         text        NOT NULL,
    description  text,
    due_on       date        NOT NULL,
    completed_at timestamptz,
    version      integer     NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT project_milestones_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT project_milestones_project_fkey FOREIGN KEY (company_id, project_id)
        REFERENCES projects (company_id, id) ON DELETE CASCADE,
    CONSTRAINT project_milestones_of_project_key UNIQUE (company_id, project_id, id)
);

CREATE INDEX project_milestones_by_due ON project_milestones (company_id, project_id, due_on, id);

CREATE TABLE project_goals (
    company_id    uuid           NOT NULL,
    id            uuid           NOT NULL,
    project_id    uuid           NOT NULL,
    name          text           NOT NULL,
    description   text,
    -- By hand, or the number of linked tasks that are done.
    measure       text           NOT NULL,
    unit          text,
    target_value  numeric(18, 2),
    current_value numeric(18, 2) NOT NULL DEFAULT 0,
    due_on        date,
    version       integer        NOT NULL DEFAULT 1,
    created_at    timestamptz    NOT NULL DEFAULT now(),
    updated_at    timestamptz    NOT NULL DEFAULT now(),
    CONSTRAINT project_goals_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT project_goals_project_fkey FOREIGN KEY (company_id, project_id)
        REFERENCES projects (company_id, id) ON DELETE CASCADE,
    CONSTRAINT project_goals_of_project_key UNIQUE (company_id, project_id, id),
    CONSTRAINT project_goals_measure_known CHECK (measure IN ('value', 'tasks')),
    CONSTRAINT project_goals_value_has_target CHECK ((measure = 'value') = (target_value IS NOT NULL)),
    CONSTRAINT project_goals_target_positive CHECK (target_value > 0)
);

CREATE INDEX project_goals_by_project ON project_goals (company_id, project_id, created_at, id);

-- A task that moves to another project leaves the plans of this one, so the links name the task alone.
CREATE TABLE milestone_tasks (
    company_id   uuid NOT NULL,
    milestone_id uuid NOT NULL,
    task_id      uuid NOT NULL,
    CONSTRAINT milestone_tasks_pkey PRIMARY KEY (company_id, milestone_id, task_id),
    CONSTRAINT milestone_tasks_milestone_fkey FOREIGN KEY (company_id, milestone_id)
        REFERENCES project_milestones (company_id, id) ON DELETE CASCADE,
    CONSTRAINT milestone_tasks_task_fkey FOREIGN KEY (company_id, task_id)
        REFERENCES tasks (company_id, id) ON DELETE CASCADE
);

CREATE INDEX milestone_tasks_by_task ON milestone_tasks (company_id, task_id);

CREATE TABLE goal_tasks (
    company_id uuid NOT NULL,
    goal_id    uuid NOT NULL,
    task_id    uuid NOT NULL,
    CONSTRAINT goal_tasks_pkey PRIMARY KEY (company_id, goal_id, task_id),
    CONSTRAINT goal_tasks_goal_fkey FOREIGN KEY (company_id, goal_id)
        REFERENCES project_goals (company_id, id) ON DELETE CASCADE,
    CONSTRAINT goal_tasks_task_fkey FOREIGN KEY (company_id, task_id)
        REFERENCES tasks (company_id, id) ON DELETE CASCADE
);

CREATE INDEX goal_tasks_by_task ON goal_tasks (company_id, task_id);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['project_milestones', 'project_goals', 'milestone_tasks', 'goal_tasks'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format($policy$CREATE POLICY tenant ON %I
            USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
            WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid)$policy$, name);
    END LOOP;
END $$;
