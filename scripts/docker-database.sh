#!/usr/bin/env bash
# Run once by the image of PostgreSQL, as its superuser: the role that owns the tables, and its database. The role that
# serves (infinity_app) comes with the first migration.
set -euo pipefail

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --set password="$INFINITY_DATABASE_PASSWORD" \
    --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE ROLE infinity LOGIN CREATEROLE PASSWORD :'password';
CREATE DATABASE infinity OWNER infinity;
SQL
