#!/usr/bin/env bash
# Prints the .env of docker-compose.yml with fresh passwords and keys. Keep the file: without its keys the secrets in
# the database cannot be opened, and without the pepper no password fits.
set -euo pipefail

random() { head -c "$1" /dev/urandom | base64 -w0; }
# Fit for a URL as it is.
word() { random 24 | tr '+/' '-_'; }

cat <<EOT
POSTGRES_PASSWORD=$(word)
DATABASE_PASSWORD=$(word)
INFINITY_SECRET_KEY=k1:$(random 32)
INFINITY_PASSWORD_PEPPER=$(random 32)
# The address people use, as your proxy serves it.
INFINITY_PUBLIC_URL=http://localhost:8080
# With the mail catcher: smtp://mail:1025
INFINITY_SMTP_URL=
EOT
