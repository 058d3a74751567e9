SELECT id, name, description, color, version, created_at, updated_at
  FROM teams
 WHERE company_id = $1
 ORDER BY created_at DESC, id DESC
 LIMIT $2
