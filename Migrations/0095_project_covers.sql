-- A cover is one of the company's files and is seen by those who see the project, so there is no address of it to keep.

ALTER TABLE projects DROP COLUMN cover_url, ADD COLUMN cover_file_id uuid;
