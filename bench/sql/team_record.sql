WITH act AS (
    INSERT INTO audit_log (company_id, id, actor_kind, actor_id, action, target_type, target_id, after, address, request_id)
    VALUES ($1, $2, 'user', $3, 'team.created', 'team', $2, '{"name": "Made under load"}', '127.0.0.1',
            '01939d2c-7f4e-7a61-9c0b-5f2f0d9b3c11'))
INSERT INTO audit_unsealed (audit_id, company_id) VALUES ($2, $1)
