#!/usr/bin/env bash
# Keeps .build/venv with the Python tools of the tests, as listed in scripts/python-packages.txt.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=.build/venv
stamp="$venv/.packages"
if cmp -s scripts/python-packages.txt "$stamp"; then exit 0; fi

# The system's Python if it can make such a folder; another one first in PATH may come without venv.
python=python3
[ -x /usr/bin/python3 ] && python=/usr/bin/python3
echo "setup: Python tools of the tests into $venv"
mkdir -p .build
rm -rf "$venv"
"$python" -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check -r scripts/python-packages.txt
cp scripts/python-packages.txt "$stamp"
