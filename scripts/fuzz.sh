#!/usr/bin/env bash
# Throws bytes at everything that reads what strangers send, with AddressSanitizer (Tests/Fuzz).
# SECONDS=600 scripts/fuzz.sh goes on for longer; what it finds stays in .build/fuzz/found.
set -euo pipefail
limit=$SECONDS
[ "$limit" -gt 0 ] || limit=20
cd "$(dirname "$0")/.."
out=.build/fuzz
mkdir -p "$out/corpus" "$out/found"

# SwiftPM wants a main of its own in every program, libFuzzer brings one: so the few modules are built by hand.
flags=(-O -g -wmo -parse-as-library -swift-version 6 -enable-testing -sanitize=fuzzer,address -I "$out"
    -I Sources/CLinux -I Sources/COpenSSL -I Sources/CZlib -module-cache-path "$out/cache")
newest=$(find Sources/Wire Sources/Loop Sources/HTTP Tests/Fuzz -name '*.swift' -newer "$out/fuzz" 2>/dev/null | head -1 || true)
if [ ! -x "$out/fuzz" ] || [ -n "$newest" ]; then
    for module in Wire Loop HTTP; do
        mapfile -t sources < <(find "Sources/$module" -name '*.swift')
        swiftc "${flags[@]}" -module-name "$module" -emit-module -emit-module-path "$out/$module.swiftmodule" \
            -emit-object -o "$out/$module.o" "${sources[@]}"
    done
    swiftc "${flags[@]}" -module-name Fuzz Tests/Fuzz/*.swift "$out"/{Wire,Loop,HTTP}.o -lssl -lcrypto -lz -o "$out/fuzz"
fi

# The first corpus grows and stays out of the repository; the second is the small one that is kept.
exec "$out/fuzz" "$out/corpus" Tests/Fuzz/corpus -dict=Tests/Fuzz/http.dict -artifact_prefix="$out/found/" \
    -max_len=4096 -timeout=90 -rss_limit_mb=4096 -max_total_time="$limit" -print_final_stats=1
