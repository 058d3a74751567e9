#!/usr/bin/env bash
# Installs the system packages that a command of the Makefile needs and that are missing:
#   scripts/setup.sh run|test|contract|bench
# Says what it does; quick and silent when there is nothing to do.
set -euo pipefail
cd "$(dirname "$0")"

case "${1:-run}" in
    run) groups="run" ;;
    test) groups="run test" ;;
    contract) groups="run test contract" ;;
    bench) groups="run bench" ;;
    *) echo "usage: scripts/setup.sh run|test|contract|bench" >&2; exit 64 ;;
esac

if ! command -v swift >/dev/null; then
    echo "setup: there is no Swift here; install Swift 6.3 (swift.org/install) and have it in PATH" >&2
    exit 69
fi
command -v dpkg-query >/dev/null || { echo "setup: no Debian packages here; see scripts/apt-packages.txt for what is needed" >&2; exit 0; }

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

missing=()
while read -r group alternatives _; do
    case " $groups " in *" $group "*) ;; *) continue ;; esac
    found=
    for package in ${alternatives//|/ }; do
        if is_installed "$package"; then found=1; break; fi
    done
    [ -n "$found" ] || missing+=("$alternatives")
done < <(grep -v '^#' apt-packages.txt)
[ "${#missing[@]}" -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "setup: these packages are missing, and there is no sudo to install them with: ${missing[*]}" >&2; exit 69; }
    as_root=(sudo)
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@" </dev/null >"$log" 2>&1; }
failed() { cat "$log" >&2; echo "setup: apt-get failed; what it said stands above" >&2; exit 69; }
has_candidate() { [[ "$(apt-cache policy "$1" 2>/dev/null)" == *"Candidate: "[0-9]* ]]; }

# The lists are empty on a fresh machine.
lists_are_known=1
for alternatives in "${missing[@]}"; do
    has_candidate "${alternatives%%|*}" || lists_are_known=
done
if [ -z "$lists_are_known" ]; then
    echo "setup: apt-get update"
    apt update || failed
fi

packages=()
for alternatives in "${missing[@]}"; do
    for package in ${alternatives//|/ }; do
        if has_candidate "$package"; then packages+=("$package"); break; fi
    done
done

# Debian starts a PostgreSQL of its own on port 5432 when the package comes in; Infinity has its own and wants none.
case " ${packages[*]} " in *" postgresql"*)
    if ! is_installed postgresql-common; then
        echo "setup: apt-get install postgresql-common, told not to start a database of its own"
        apt install --no-install-recommends postgresql-common || failed
        echo "create_main_cluster = false" | "${as_root[@]}" tee -a /etc/postgresql-common/createcluster.conf >/dev/null
    fi ;;
esac

if [ "${#packages[@]}" -lt "${#missing[@]}" ]; then
    echo "setup: apt knows no package for some of: ${missing[*]}" >&2
    exit 69
fi
echo "setup: apt-get install ${packages[*]}"
if ! apt install --no-install-recommends "${packages[@]}"; then
    # The lists may be older than the archive.
    apt update || failed
    apt install --no-install-recommends "${packages[@]}" || failed
fi
