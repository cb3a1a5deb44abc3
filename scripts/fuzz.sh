#!/usr/bin/env bash
# fuzz.sh [FUZZTIME [PACKAGE...]]: runs every fuzz target for so long (60s) or so many
# inputs (20000x; what scripts/test.sh asks for, since a run that ends by the
# clock is now and then reported as failed by the fuzzer itself: golang/go#75804).
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/setup.sh
. scripts/setup.sh
fuzztime=${1:-60s}
shift || true
[ $# -gt 0 ] || set -- $(grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -rn1 dirname | sort -u)
for package in "$@"; do
	for target in $(grep -hoE '^func Fuzz\w+' "$package"/*_test.go | sed 's/func //'); do
		echo "-- $package $target"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$fuzztime" "$package"
	done
done
