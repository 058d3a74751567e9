#!/usr/bin/env bash
# Drives the built program from outside with other people's clients: Tests/Clients. Arguments replace the folder.
set -euo pipefail
cd "$(dirname "$0")/.."

export INFINITY_BINARY=${INFINITY_BINARY:-$PWD/.build/debug/infinity}
[ -x "$INFINITY_BINARY" ] || { echo "client-tests: $INFINITY_BINARY is not built; run: swift build" >&2; exit 69; }
PYTHONDONTWRITEBYTECODE=1 exec .build/venv/bin/python -m pytest -c Tests/Clients/pytest.ini --rootdir Tests/Clients "${@:-Tests/Clients}"
