SELECT a.id, a.at, a.actor_kind, a.actor_id, u.name AS actor_name, a.behind_id, a.action, a.target_type,
       a.target_id, a.before, a.after, a.address, a.request_id
  FROM audit_log a
  LEFT JOIN users u ON u.id = CASE WHEN a.actor_kind = 'api_key' THEN a.behind_id ELSE a.actor_id END
 WHERE a.company_id = $1
 ORDER BY a.at DESC, a.id DESC
 LIMIT $2
