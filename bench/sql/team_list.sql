SELECT t.id, t.name, t.description, t.color,
       (SELECT count(*) FROM team_members tm
          JOIN memberships m ON m.company_id = tm.company_id AND m.id = tm.member_id AND m.status = 'active'
         WHERE tm.company_id = t.company_id AND tm.team_id = t.id) AS member_count,
       t.version, t.created_at, t.updated_at
  FROM teams t
 WHERE t.company_id = $1
 ORDER BY t.name, t.id
 LIMIT $2
