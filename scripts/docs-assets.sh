#!/usr/bin/env bash
# Fetches Swagger UI into the folder given (.build/docs-assets), from a Python package pinned by its hash:
# its files, each with a gzip twin. Nothing of it is committed; without it /docs is a plain page of our own.
set -euo pipefail
cd "$(dirname "$0")/.."

out=${1:-.build/docs-assets}
package=drf-spectacular-sidecar==2026.10.1
hash=sha256:fe1d005d8ac9b5d0472f2fe5deeb2e7d6dcffaa24118044f22578b4b8c4b31f2
files=(swagger-ui-bundle.js swagger-ui.css swagger-ui-standalone-preset.js favicon-32x32.png LICENSE)
stamp="$out/.package"
if [ "$(cat "$stamp" 2>/dev/null)" = "$package $hash" ]; then exit 0; fi

python=python3
[ -x .build/venv/bin/python ] && python=.build/venv/bin/python
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! "$python" -m pip --version >/dev/null 2>&1; then
    /usr/bin/python3 -m venv "$work/venv"
    python="$work/venv/bin/python"
fi

echo "setup: Swagger UI into $out"
echo "$package --hash=$hash" >"$work/requirements.txt"
"$python" -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes \
    --dest "$work" -r "$work/requirements.txt"
"$python" -m zipfile -e "$work"/drf_spectacular_sidecar-*.whl "$work/wheel"
mkdir -p "$out"
for file in "${files[@]}"; do
    cp "$(find "$work/wheel" -path "*swagger-ui-dist/$file")" "$out/$file"
    chmod 644 "$out/$file"
    gzip -9 -n -k -f "$out/$file"
done
echo "$package $hash" >"$stamp"
