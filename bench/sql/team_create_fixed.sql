INSERT INTO teams (company_id, id, name, description, color)
VALUES ($1, gen_random_uuid(), $2, $3, $4)
RETURNING id, name, description, color, member_count, version, created_at, updated_at
