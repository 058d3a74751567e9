#!/usr/bin/env bash
# Fetches the servers that Infinity is compared with, once: FastAPI into a Python environment, Express unpacked beside.
# Everything lands in .build/bench. A peer that cannot be had is left out of the run, with a word.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$PWD/.build/bench
mkdir -p "$tools"

if ! cmp -s bench/requirements.txt "$tools/venv/requirements.txt"; then
  echo "bench: FastAPI and asyncpg into .build/bench/venv"
  rm -rf "$tools/venv"
  # The system's Python if it can make such a folder; another one first in PATH may come without venv.
  python=python3
  [ ! -x /usr/bin/python3 ] || python=/usr/bin/python3
  "$python" -m venv "$tools/venv"
  if "$tools/venv/bin/pip" install -q --disable-pip-version-check -r bench/requirements.txt; then
    cp bench/requirements.txt "$tools/venv/requirements.txt"
  else
    echo "bench: no FastAPI to be had; it will be left out" >&2
  fi
fi

# Express and pg as Debian has them, unpacked rather than installed: they may not fit the node that is in use.
if [ ! -e "$tools/node/.complete" ]; then
  echo "bench: Express and pg into .build/bench/node"
  rm -rf "$tools/node" "$tools/debs"
  mkdir -p "$tools/node" "$tools/debs"
  wanted=(node-express node-pg)
  seen=' '
  while [ ${#wanted[@]} -gt 0 ]; do
    fresh=()
    for package in "${wanted[@]}"; do
      case $seen in *" $package "*) ;; *) seen+="$package "; fresh+=("$package") ;; esac
    done
    [ ${#fresh[@]} -gt 0 ] || break
    # Types, compilers and the native client are not needed to run. A line set in names who provides a virtual package.
    mapfile -t wanted < <(apt-cache depends --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
      --no-enhances "${fresh[@]}" | sed -nE 's/^( *Depends: *|    )(node-.*)/\2/p' \
      | grep -vE '^node-(types|undici|babel|istanbul|acorn|lodash|typescript|yargs|libpq|core-js|terser)' | sort -u)
  done
  if (cd "$tools/debs" && apt-get download -q $seen >/dev/null 2>&1); then
    for package in "$tools"/debs/*.deb; do dpkg -x "$package" "$tools/node"; done
    if NODE_PATH=$tools/node/usr/share/nodejs node -e 'require("express"); require("pg")' 2>/dev/null; then
      touch "$tools/node/.complete"
    fi
  fi
  rm -rf "$tools/debs"
  [ -e "$tools/node/.complete" ] || echo "bench: no Express to be had from Debian's packages; it will be left out" >&2
fi
