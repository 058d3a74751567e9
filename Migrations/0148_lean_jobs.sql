-- What an expression of the table costs is paid by every statement that writes to it: PostgreSQL reads the text of each
-- generated column and each CHECK anew. So whoever enqueues says whose share it is, and what a kind of job can only
-- declare within its bounds, refused when the program starts, is not checked again for every row.
ALTER TABLE jobs
    ALTER COLUMN share DROP EXPRESSION,
    ALTER COLUMN share SET DEFAULT '00000000-0000-0000-0000-000000000000',
    DROP CONSTRAINT jobs_attempts_in_range,
    DROP CONSTRAINT jobs_lease_positive;
