#!/usr/bin/env bash
# Holds a running server against the document it serves, then drives its documentation page in a browser.
# Arguments go to schemathesis.
set -euo pipefail
cd "$(dirname "$0")/.."

export INFINITY_BINARY=${INFINITY_BINARY:-$PWD/.build/release/infinity} PYTHONDONTWRITEBYTECODE=1
.build/venv/bin/python Tests/Contract/run.py "$@"
.build/venv/bin/python scripts/docs-picture.py
