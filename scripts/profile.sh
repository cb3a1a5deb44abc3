#!/usr/bin/env bash
# profile.sh: makes cmd/shredderd/default.pgo anew, the profile by which the compiler
# decides what to inline in the daemon. Run it after the path of a request has changed.
set -euo pipefail
cd "$(dirname "$0")/.."
test=$(mktemp)
trap 'rm -f "$test"' EXIT
go test -o "$test" -run '^$' -bench 'BenchmarkProcess' -benchtime 4000000x -cpuprofile cmd/shredderd/default.pgo ./pktproc
