#!/usr/bin/env bash
# bench.sh SUITE [--quick] [more flags of bench/cmd/suite]: builds the daemon and
# the suites with DPDK, installs the peers that are missing, measures, prints a
# table and writes bench/out/SUITE.json. Suites: null, kv, gaps, functions, jit, resp.
# A quiet machine of two CPUs is wanted: servers run on CPU 0, traffic on CPU 1.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/setup.sh
. scripts/setup.sh

[ $# -ge 1 ] || {
	sed -n '2,5s/^# //p' "$0" >&2
	exit 2
}
suite=$1
shift

want_go
want_dpdk
case $suite in
kv) need redis-server command -v redis-server && need memcached command -v memcached ;;
resp) need redis-server command -v redis-server ;;
functions) need redis-server command -v redis-server && need tarantool command -v tarantool ;;
jit)
	want_node
	need luajit command -v luajit
	need redis-server command -v redis-server
	need tarantool command -v tarantool
	;;
esac
install_missing

mkdir -p bin
go build -tags dpdk -o bin/ ./cmd/shredderd ./bench/cmd/suite
cc -O2 -o bin/gaploop bench/gaploop/gaploop.c
commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
git diff --quiet HEAD 2>/dev/null || commit+=-modified
exec bin/suite "$suite" --commit "$commit" --graph ../shared/data/ego-facebook.txt --models ../shared/data/nn-models.json "$@"
