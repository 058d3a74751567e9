-- These tables name a company but belong to none: each is read over all companies, by a worker or before it is known
-- which company is meant. Row-level security would hide what they are for, and they stay on one node when the rest is
-- distributed. The words `infinity:local` say so to the schema check.

COMMENT ON TABLE mail_queue IS 'infinity:local: the worker sends the mail of all companies';
COMMENT ON TABLE access_changes IS 'infinity:local: every instance hears of the changes in all companies';
COMMENT ON TABLE sessions IS 'infinity:local: a session belongs to a person, who moves between companies';
COMMENT ON TABLE auth_events IS 'infinity:local: signing in happens before a company is entered';
COMMENT ON TABLE company_deletions IS 'infinity:local: the worker looks for what is due in all companies';
