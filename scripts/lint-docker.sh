#!/usr/bin/env bash
# Checks Dockerfile and docker-compose.yml without a Docker engine, and runs every command in them that can be run here.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh test
scripts/python-venv.sh
exec .build/venv/bin/python scripts/lint-docker.py
