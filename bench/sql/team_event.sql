INSERT INTO outbox (id, company_id, type, actor_kind, actor_id, subject_type, subject_id, data)
VALUES ($2, $1, 'team.created', 'user', $3, 'team', $2, '{"name": "Made under load"}')
