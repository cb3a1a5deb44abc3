#!/usr/bin/env bash
# soak.sh: the long forms of the tests that scripts/test.sh runs short: 10,000 simulated
# runs, 10^7 mutated frames, 10^7 fuzzed requests, 10^6 killed calls,
# 10^6 commands held against redis-server, 10^8 fuzzed requests of its protocol, the canaries of 1,000
# tenants, 10^5 random programs on both tiers and in Node. Some hours on two cores.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/setup.sh
. scripts/setup.sh
want_go
want_clients
want_node
install_missing
export SOAK=1 SOAK_SEEDS=10000 SOAK_FRAMES=10000000
go test -count=1 -timeout 2h ./internal/sim ./pktproc ./jit/... ./internal/e2e ./internal/resp/... ./store/...
scripts/fuzz.sh 5m
# 10^8 requests to the reader of the Redis protocol
scripts/fuzz.sh 100000000x ./internal/resp/proto
