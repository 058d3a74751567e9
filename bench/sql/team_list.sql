SELECT t.id, t.name, t.description, t.color, t.member_count, t.version, t.created_at, t.updated_at
  FROM teams t
 WHERE t.company_id = $1
 ORDER BY t.name, t.id
 LIMIT $2
