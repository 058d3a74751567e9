SELECT id, at, actor_kind, actor_id, behind_id, action, target_type, target_id, before, after, address, request_id
  FROM audit_log
 WHERE company_id = $1
 ORDER BY at DESC, id DESC
 LIMIT $2
