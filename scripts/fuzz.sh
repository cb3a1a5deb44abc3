#!/usr/bin/env bash
# fuzz.sh [SECONDS] [PACKAGE...]: runs every fuzz target for so long (60 s if not said).
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/setup.sh
. scripts/setup.sh
seconds=${1:-60}
shift || true
[ $# -gt 0 ] || set -- $(grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -rn1 dirname | sort -u)
for package in "$@"; do
	for target in $(grep -hoE '^func Fuzz\w+' "$package"/*_test.go | sed 's/func //'); do
		echo "-- $package $target"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "${seconds}s" "$package"
	done
done
