#!/usr/bin/env bash
# Does what a newcomer does: `make run`, open the documentation, paste the line for curl, Ctrl-C.
set -euo pipefail
cd "$(dirname "$0")/.."

make --no-print-directory release
scripts/docs-assets.sh .build/docs-assets
work=$(mktemp -d)
chmod 755 "$work"
export INFINITY_DATA="$work/data" INFINITY_HTTP_PORT=${INFINITY_HTTP_PORT:-18380} INFINITY_HTTPS_PORT=${INFINITY_HTTPS_PORT:-18381}
server=
finish() {
    [ -z "$server" ] || kill -INT "$server" 2>/dev/null || true
    [ -z "$server" ] || wait "$server" || true
    rm -rf "$work"
}
trap finish EXIT

passed=0 failed=0
check() {
    if "${@:2}"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "smoke: wrong: $1" >&2; fi
}

# As a job of a terminal would be: with Ctrl-C not ignored.
setsid .build/release/infinity serve --demo >"$work/out" 2>"$work/log" &
server=$!
for _ in $(seq 600); do
    grep -q 'curl -s' "$work/out" 2>/dev/null && break
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
done
if ! grep -q 'curl -s' "$work/out"; then
    cat "$work/out" "$work/log" >&2
    echo "smoke: it does not start" >&2
    exit 1
fi

docs=$(sed -n 's/^ *Documentation *//p' "$work/out")
line=$(sed -n 's/^ *\(curl .*\)$/\1/p' "$work/out")
logs_in() { bash -c "$line" | grep '"access_token"' >/dev/null; }
shows_docs() { curl -fsSL "$docs" | grep -i swagger >/dev/null; }
speaks_tls() { curl -fsk "https://127.0.0.1:$INFINITY_HTTPS_PORT/livez" >/dev/null; }
ends() { kill -INT "$server" && wait "$server"; }

check "the line for curl logs in: $line" logs_in
check "the documentation is at $docs" shows_docs
check "it speaks https with a certificate of its own" speaks_tls
check "it is ready" .build/release/infinity doctor --health
check "all is well by its own word" eval '.build/release/infinity doctor >"$work/doctor" || { cat "$work/doctor"; false; }'
check "Ctrl-C ends it" ends
server=
check "the database has ended with it" eval '! [ -e "$INFINITY_DATA/pg/postmaster.pid" ]'
echo "smoke: $passed passed, $failed failed"
[ "$failed" = 0 ]
