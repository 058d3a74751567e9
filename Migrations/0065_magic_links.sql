-- Signing in by a link or code sent to one's address, and companies that allow each member one session at a time.

ALTER TABLE one_time_tokens DROP CONSTRAINT one_time_tokens_purpose_known;
ALTER TABLE one_time_tokens ADD CONSTRAINT one_time_tokens_purpose_known CHECK (
    purpose IN ('reset_password', 'change_email', 'second_factor', 'not_me', 'magic_link'));

ALTER TABLE company_security_policies ADD COLUMN one_session boolean NOT NULL DEFAULT false;
