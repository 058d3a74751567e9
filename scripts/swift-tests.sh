#!/bin/bash
# Runs the built Swift tests, one process for each target, two at a time: every server that a test starts keeps threads
# of Dispatch, of which a process has 255, and most tests wait more than they work. What is built is not touched, so that
# the lock of the build may be passed over. Prints the counts of each and of all.
set -uo pipefail
cd "$(dirname "$0")/.."

run_target() {
    local log=".build/$1.log" passed=passed line
    timeout 400 swift test --skip-build --ignore-lock --disable-xctest --no-parallel --filter "^$1\\." > "$log" 2>&1 || passed=failed
    line=$(grep -aE 'Test run with [0-9]+ tests' "$log" | tail -1)
    [ -n "$line" ] || line="- did not end: $log"
    if [ $passed = failed ]; then grep -aE '✘|↳|error:|crashed' "$log" | head -40; fi
    echo "$1: ${line#* }"
    echo "$passed $(sed -nE 's/.*Test run with ([0-9]+) tests.*/\1/p' <<< "$line")" > ".build/$1.result"
}
export -f run_target

targets=$(sed -nE 's/.*\.testTarget\(name: "([A-Za-z]+)".*/\1/p; s/.*domainTests\("([A-Za-z]+)"\).*/\1Tests/p' Package.swift | sort -u)
xargs -P 2 -I {} bash -c 'run_target {}' <<< "$targets"
tests=0 failed=()
for target in $targets; do
    read -r passed count < ".build/$target.result"
    tests=$((tests + ${count:-0}))
    [ "$passed" = passed ] || failed+=("$target")
done
echo "Swift: $tests tests run, ${#failed[@]} targets failed ${failed[*]:-}"
[ ${#failed[@]} -eq 0 ]
