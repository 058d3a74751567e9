-- What is asked of a project before it is a task: taken in, then accepted, declined, put off or found to be asked already.

CREATE TABLE intake_requests (
    company_id    uuid        NOT NULL,
    id            uuid        NOT NULL,
    project_id    uuid        NOT NULL,
    title         text        NOT NULL,
    description   text,
    priority      text        NOT NULL DEFAULT 'none',
    status        text        NOT NULL DEFAULT 'pending',
    requester_id  uuid        NOT NULL,
    snoozed_until timestamptz,
    -- What became of it. No reference: the task may be gone one day, the answer was given all the same.
    task_id       uuid,
    decided_by    uuid,
    decided_at    timestamptz,
    note          text,
    version       integer     NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT intake_requests_pkey PRIMARY KEY (company_id, id),
    CONSTRAINT intake_requests_project_fkey FOREIGN KEY (company_id, project_id)
        REFERENCES projects (company_id, id) ON DELETE CASCADE,
    CONSTRAINT intake_requests_requester_fkey FOREIGN KEY (company_id, requester_id)
        REFERENCES memberships (company_id, id),
    CONSTRAINT intake_requests_decided_by_fkey FOREIGN KEY (company_id, decided_by)
        REFERENCES memberships (company_id, id),
    CONSTRAINT intake_requests_priority_known CHECK (priority IN ('none', 'low', 'medium', 'high', 'urgent')),
    CONSTRAINT intake_requests_status_known
        CHECK (status IN ('pending', 'snoozed', 'accepted', 'declined', 'duplicate')),
    CONSTRAINT intake_requests_snoozed_until_when CHECK ((status = 'snoozed') = (snoozed_until IS NOT NULL)),
    CONSTRAINT intake_requests_task_of_decision CHECK ((status IN ('accepted', 'duplicate')) = (task_id IS NOT NULL))
);

CREATE INDEX intake_requests_by_project ON intake_requests (company_id, project_id, created_at, id);
CREATE INDEX intake_requests_newest ON intake_requests (company_id, created_at, id);

ALTER TABLE intake_requests ENABLE ROW LEVEL SECURITY;
ALTER TABLE intake_requests FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON intake_requests
    USING (company_id = nullif(current_setting('app.company_id', true), '')::uuid)
    WITH CHECK (company_id = nullif(current_setting('app.company_id', true), '')::uuid);
