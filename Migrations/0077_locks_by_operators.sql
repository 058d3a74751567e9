-- A lock that an operator has set. `locked` alone ends with a new password set by mail; this one only by an operator.

ALTER TABLE users ADD COLUMN locked_by_operator_at timestamptz;
ALTER TABLE users ADD COLUMN lock_reason text;
ALTER TABLE users ADD CONSTRAINT users_operators_lock_holds CHECK (
    locked_by_operator_at IS NULL OR status IN ('locked', 'deleted'));
ALTER TABLE users ADD CONSTRAINT users_lock_reason_needs_a_lock CHECK (
    lock_reason IS NULL OR locked_by_operator_at IS NOT NULL);

-- The operators' list of all accounts, newest first.
CREATE INDEX users_newest ON users (created_at DESC, id DESC) WHERE kind = 'person';
CREATE INDEX sessions_in_anothers_name ON sessions (created_at DESC, id DESC) WHERE impersonator_id IS NOT NULL;
