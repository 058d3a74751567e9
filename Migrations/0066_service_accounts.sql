-- Principals that are no person: a company's own, with roles like a member's and keys instead of a way to sign in.
-- They outlast whoever made them.

ALTER TABLE users ADD COLUMN kind text NOT NULL DEFAULT 'person';
-- The one company a service account belongs to. Not `company_id`: people in this table belong to none.
ALTER TABLE users ADD COLUMN of_company uuid;
ALTER TABLE users ADD CONSTRAINT users_kind_known CHECK (kind IN ('person', 'service'));
ALTER TABLE users ADD CONSTRAINT users_service_is_a_companys CHECK ((kind = 'service') = (of_company IS NOT NULL));
ALTER TABLE users ADD CONSTRAINT users_service_cannot_sign_in CHECK (kind = 'person' OR password_hash IS NULL);
ALTER TABLE users DROP CONSTRAINT users_deleted_has_no_email;
ALTER TABLE users ADD CONSTRAINT users_deleted_has_no_email CHECK (
    (status = 'deleted' OR kind = 'service') = (email_norm IS NULL) AND (email IS NULL) = (email_norm IS NULL));

CREATE INDEX users_services_of_company ON users (of_company) WHERE kind = 'service';

-- A key of a service account acts for it; `created_by` stays the person who made the key.
ALTER TABLE api_keys ADD COLUMN service_account_id uuid;
ALTER TABLE api_keys ADD COLUMN acts_as uuid;
ALTER TABLE api_keys ADD CONSTRAINT api_keys_acts_as_fkey FOREIGN KEY (acts_as) REFERENCES users (id);
ALTER TABLE api_keys ADD CONSTRAINT api_keys_service_is_whole CHECK ((service_account_id IS NULL) = (acts_as IS NULL));
CREATE INDEX api_keys_of_service_account ON api_keys (company_id, service_account_id);
