-- Projects, the states their tasks pass through, and the tasks themselves.

CREATE TABLE projects (
    company_id   uuid        NOT NULL,
    id           uuid        NOT NULL,
    key          text        NOT NULL,
    name         text        NOT NULL,
    description  text,
    status       text        NOT NULL DEFAULT 'draft',
    visibility   text        NOT NULL DEFAULT 'company',
    lead_id      uuid,
    color        text,
    time_zone    text        NOT NULL,
    start_on     date,
    due_on       date,
    next_number  integer     NOT NULL DEFAULT 1,
    completed_at timestamptz,
    archived_at  timestamptz,
    deleted_at   timestamptz,
    created_by   uuid,
    version      integer     NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT projects_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT projects_company_id_fkey FOREIGN KEY (company_id) REFERENCES companies (id),
    CONSTRAINT projects_lead_fkey FOREIGN KEY (company_id, lead_id) REFERENCES memberships (company_id, id),
    CONSTRAINT projects_key_form CHECK (key ~ '^[A-Z][A-Z0-9]{1,9}$'),
    CONSTRAINT projects_status_known CHECK (status IN ('draft', 'active', 'on_hold', 'completed', 'archived')),
    CONSTRAINT projects_visibility_known CHECK (visibility IN ('company', 'private')),
    CONSTRAINT projects_color_is_hex CHECK (color ~ '^#[0-9a-f]{6}$'),
    CONSTRAINT projects_dates_in_order CHECK (start_on <= due_on),
    CONSTRAINT projects_archived_has_time CHECK ((status = 'archived') = (archived_at IS NOT NULL)),
    CONSTRAINT projects_next_number_positive CHECK (next_number > 0)
);

-- A key names one project of the company for ever, also one in the trash: old links must not lead to another's task.
CREATE UNIQUE INDEX projects_key_key ON projects (company_id, key);
CREATE INDEX projects_by_name ON projects (company_id, name, id) WHERE deleted_at IS NULL;

CREATE TABLE project_members (
    company_id uuid        NOT NULL,
    project_id uuid        NOT NULL,
    member_id  uuid        NOT NULL,
    role       text        NOT NULL,
    added_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT project_members_pkey PRIMARY KEY (company_id, project_id, member_id),
    CONSTRAINT project_members_project_fkey FOREIGN KEY (company_id, project_id)
        REFERENCES projects (company_id, id) ON DELETE CASCADE,
    CONSTRAINT project_members_member_fkey FOREIGN KEY (company_id, member_id)
        REFERENCES memberships (company_id, id) ON DELETE CASCADE,
    CONSTRAINT project_members_role_known CHECK (role IN ('manager', 'contributor', 'commenter', 'viewer'))
);

CREATE INDEX project_members_by_member ON project_members (company_id, member_id);

CREATE TABLE project_states (
    company_id uuid        NOT NULL,
    id         uuid        NOT NULL,
    project_id uuid        NOT NULL,
    name       text        NOT NULL,
    category   text        NOT NULL,
    color      text,
    position   integer     NOT NULL,
    is_initial boolean     NOT NULL DEFAULT false,
    wip_limit  integer,
    version    integer     NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT project_states_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT project_states_project_fkey FOREIGN KEY (company_id, project_id)
        REFERENCES projects (company_id, id) ON DELETE CASCADE,
    -- What a task points at: a state of its own project, and the category copied from it.
    CONSTRAINT project_states_of_project_key UNIQUE (company_id, project_id, id, category),
    CONSTRAINT project_states_category_known
        CHECK (category IN ('backlog', 'unstarted', 'started', 'completed', 'cancelled')),
    CONSTRAINT project_states_color_is_hex CHECK (color ~ '^#[0-9a-f]{6}$'),
    CONSTRAINT project_states_wip_limit_positive CHECK (wip_limit > 0),
    CONSTRAINT project_states_initial_is_open CHECK (NOT is_initial OR category IN ('backlog', 'unstarted', 'started'))
);

CREATE UNIQUE INDEX project_states_name_key ON project_states (company_id, project_id, lower(name));
CREATE UNIQUE INDEX project_states_initial_key ON project_states (company_id, project_id) WHERE is_initial;

CREATE TABLE sprints (
    company_id   uuid        NOT NULL,
    id           uuid        NOT NULL,
    project_id   uuid        NOT NULL,
    name         text        NOT NULL,
    goal         text,
    status       text        NOT NULL DEFAULT 'planned',
    starts_on    date        NOT NULL,
    ends_on      date        NOT NULL,
    started_at   timestamptz,
    closed_at    timestamptz,
    version      integer     NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT sprints_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT sprints_project_fkey FOREIGN KEY (company_id, project_id)
        REFERENCES projects (company_id, id) ON DELETE CASCADE,
    CONSTRAINT sprints_of_project_key UNIQUE (company_id, project_id, id),
    CONSTRAINT sprints_status_known CHECK (status IN ('planned', 'active', 'closed')),
    CONSTRAINT sprints_dates_in_order CHECK (starts_on <= ends_on),
    CONSTRAINT sprints_started_has_time CHECK ((status <> 'planned') = (started_at IS NOT NULL)),
    CONSTRAINT sprints_closed_has_time CHECK ((status = 'closed') = (closed_at IS NOT NULL))
);

CREATE INDEX sprints_by_project ON sprints (company_id, project_id, starts_on);

CREATE TABLE tasks (
    company_id       uuid          NOT NULL,
    id               uuid          NOT NULL,
    project_id       uuid          NOT NULL,
    number           integer       NOT NULL,
    type             text          NOT NULL DEFAULT 'task',
    title            text          NOT NULL,
    description      text,
    state_id         uuid          NOT NULL,
    category         text          NOT NULL,
    priority         text          NOT NULL DEFAULT 'none',
    -- Text sorts wrongly; urgent comes first.
    priority_rank    smallint      NOT NULL GENERATED ALWAYS AS (
        CASE priority WHEN 'urgent' THEN 0 WHEN 'high' THEN 1 WHEN 'medium' THEN 2 WHEN 'low' THEN 3 ELSE 4 END) STORED,
    rank             text COLLATE "C" NOT NULL,
    parent_id        uuid,
    sprint_id        uuid,
    reporter_id      uuid,
    points           numeric(6, 2),
    estimate_minutes integer,
    start_on         date,
    due_on           date,
    -- The moment by which it is due: the end of due_on in the project's zone, or due_time of it.
    due_time         time,
    due_at           timestamptz,
    custom           jsonb         NOT NULL DEFAULT '{}',
    completed_at     timestamptz,
    archived_at      timestamptz,
    deleted_at       timestamptz,
    version          integer       NOT NULL DEFAULT 1,
    created_at       timestamptz   NOT NULL DEFAULT now(),
    updated_at       timestamptz   NOT NULL DEFAULT now(),
    CONSTRAINT tasks_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT tasks_of_project_key UNIQUE (company_id, project_id, id),
    CONSTRAINT tasks_number_key UNIQUE (company_id, project_id, number),
    CONSTRAINT tasks_rank_key UNIQUE (company_id, project_id, rank),
    CONSTRAINT tasks_project_fkey FOREIGN KEY (company_id, project_id) REFERENCES projects (company_id, id),
    -- The state is one of the task's own project, and the category is that of the state.
    CONSTRAINT tasks_state_fkey FOREIGN KEY (company_id, project_id, state_id, category)
        REFERENCES project_states (company_id, project_id, id, category),
    CONSTRAINT tasks_parent_fkey FOREIGN KEY (company_id, project_id, parent_id)
        REFERENCES tasks (company_id, project_id, id),
    CONSTRAINT tasks_sprint_fkey FOREIGN KEY (company_id, project_id, sprint_id)
        REFERENCES sprints (company_id, project_id, id),
    CONSTRAINT tasks_reporter_fkey FOREIGN KEY (company_id, reporter_id) REFERENCES memberships (company_id, id),
    CONSTRAINT tasks_type_known CHECK (type IN ('task', 'story', 'bug', 'epic')),
    CONSTRAINT tasks_priority_known CHECK (priority IN ('none', 'low', 'medium', 'high', 'urgent')),
    CONSTRAINT tasks_own_parent CHECK (parent_id <> id),
    CONSTRAINT tasks_completed_has_time CHECK ((category = 'completed') = (completed_at IS NOT NULL)),
    CONSTRAINT tasks_points_not_negative CHECK (points >= 0),
    CONSTRAINT tasks_estimate_not_negative CHECK (estimate_minutes >= 0),
    CONSTRAINT tasks_dates_in_order CHECK (start_on <= due_on),
    CONSTRAINT tasks_due_moment CHECK ((due_on IS NULL) = (due_at IS NULL) AND (due_time IS NULL OR due_on IS NOT NULL))
);

CREATE TABLE task_assignees (
    company_id  uuid        NOT NULL,
    task_id     uuid        NOT NULL,
    member_id   uuid        NOT NULL,
    assigned_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT task_assignees_pkey PRIMARY KEY (company_id, task_id, member_id),
    CONSTRAINT task_assignees_task_fkey FOREIGN KEY (company_id, task_id)
        REFERENCES tasks (company_id, id) ON DELETE CASCADE,
    CONSTRAINT task_assignees_member_fkey FOREIGN KEY (company_id, member_id)
        REFERENCES memberships (company_id, id) ON DELETE CASCADE
);

CREATE INDEX task_assignees_by_member ON task_assignees (company_id, member_id, task_id);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['projects', 'project_members', 'project_states', 'sprints', 'tasks', 'task_assignees'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format($policy$CREATE POLICY tenant ON %I
            USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
            WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid)$policy$, name);
    END LOOP;
END $$;
