#!/bin/bash
# Runs the built Swift tests, one process for each target: every server that a test starts keeps threads of Dispatch,
# of which a process has 255. Prints the counts of each and of all.
set -uo pipefail
cd "$(dirname "$0")/.."
tests=0 failed=()
for target in $(sed -nE 's/.*\.testTarget\(name: "([A-Za-z]+)".*/\1/p; s/.*domainTests\("([A-Za-z]+)"\).*/\1Tests/p' Package.swift \
    | sort -u); do
    log=".build/$target.log"
    if ! timeout 300 swift test --skip-build --disable-xctest --no-parallel --filter "^$target\\." > "$log" 2>&1; then
        failed+=("$target")
        grep -aE '✘|↳|error:|crashed' "$log" | head -40
    fi
    line=$(grep -aE 'Test run with [0-9]+ tests' "$log" | tail -1)
    [ -n "$line" ] || line="- did not end: $log"
    echo "$target: ${line#* }"
    count=$(sed -nE 's/.*Test run with ([0-9]+) tests.*/\1/p' <<< "$line")
    tests=$((tests + ${count:-0}))
done
echo "Swift: $tests tests run, ${#failed[@]} targets failed ${failed[*]:-}"
[ ${#failed[@]} -eq 0 ]
