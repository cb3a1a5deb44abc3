#!/usr/bin/env bash
# test.sh [--quick]: installs what is missing and runs every test. --quick leaves
# out the race detector, the fuzzers and the end-to-end run.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/setup.sh
. scripts/setup.sh
quick=${1:-}
case "$quick" in "" | --quick) ;; *)
	echo "usage: scripts/test.sh [--quick]" >&2
	exit 2
	;;
esac

step() { printf '\n== %s\n' "$*"; }

step "tools"
want_go || { echo "Go is missing and could not be installed" >&2; exit 1; }
need iproute2 command -v ip
want_node # a third opinion on random programs
want_dpdk || { echo "DPDK is missing and could not be installed: its tests are never skipped" >&2; exit 1; }
want_clients || { echo "Redis' clients are missing and could not be installed: their tests are never skipped" >&2; exit 1; }
export REDIS_CLIENTS=1
go version
pkg-config --modversion libdpdk

step "format"
unformatted=$(gofmt -l $(git ls-files '*.go' 2>/dev/null || find . -name '*.go'))
[ -z "$unformatted" ] || { echo "run gofmt -w on: $unformatted"; exit 1; }

step "build and vet without cgo"
CGO_ENABLED=0 go build ./...
CGO_ENABLED=0 go vet ./...

step "vet with DPDK"
go vet -tags dpdk ./...

step "tests with DPDK"
go test -tags dpdk -timeout 20m ./...

step "tests with invariants checked"
go test -tags invariants -short -timeout 15m ./store/... ./pktproc/...

[ "$quick" = --quick ] && exit 0

step "race detector"
go test -race -short -timeout 20m ./client/... ./dataplane/... ./tenants/... ./jit ./internal/...

step "fuzzing, 10,000 inputs a target (scripts/fuzz.sh runs longer)"
scripts/fuzz.sh 10000x

step "end to end: the demo on a DPDK device"
scripts/run.sh --check
