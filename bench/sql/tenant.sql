SELECT set_config('app.company_id', $1::uuid::text, true), set_config('app.user_id', $2::uuid::text, true)
