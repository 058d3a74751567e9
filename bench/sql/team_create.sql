INSERT INTO teams (company_id, id, name, description, color)
VALUES ($1, $2, $3, $4, $5)
RETURNING id, name, description, color, member_count, version, created_at, updated_at
