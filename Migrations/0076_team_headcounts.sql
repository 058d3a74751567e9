-- How many people are in a team, kept beside it: a list of fifty teams need not count fifty times. It changes in the
-- statement that puts somebody in or takes somebody out.

ALTER TABLE teams ADD COLUMN member_count integer NOT NULL DEFAULT 0;

-- The owner of the tables is bound by their policies like everybody else; the count needs to see all companies once.
ALTER TABLE teams NO FORCE ROW LEVEL SECURITY;
ALTER TABLE team_members NO FORCE ROW LEVEL SECURITY;

UPDATE teams SET member_count =
    (SELECT count(*) FROM team_members tm WHERE tm.company_id = teams.company_id AND tm.team_id = teams.id);

ALTER TABLE teams FORCE ROW LEVEL SECURITY;
ALTER TABLE team_members FORCE ROW LEVEL SECURITY;

ALTER TABLE teams ADD CONSTRAINT teams_member_count_not_negative CHECK (member_count >= 0);
