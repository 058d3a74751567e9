-- Working in another member's name, for those whom the company trusts with it: such a session says who is behind it
-- and why.

ALTER TABLE sessions ADD COLUMN impersonator_id uuid;
ALTER TABLE sessions ADD COLUMN impersonation_reason text;
ALTER TABLE sessions ADD CONSTRAINT sessions_impersonator_id_fkey FOREIGN KEY (impersonator_id) REFERENCES users (id);
ALTER TABLE sessions ADD CONSTRAINT sessions_impersonation_has_a_reason CHECK (
    (impersonator_id IS NULL) = (impersonation_reason IS NULL));
