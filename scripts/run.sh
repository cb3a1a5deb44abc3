#!/usr/bin/env bash
# run.sh [--check] [--udp]: installs what is missing, builds, starts the server on a
# DPDK device that this machine's kernel reaches (a tap interface), loads the demo
# tenant and says what to type next.
#   --check  call countFriends on the graph, compare the answers, make sure that frames
#            went through the device, and end
#   --udp    kernel UDP sockets instead of DPDK
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/setup.sh
. scripts/setup.sh

check=no
driver=dpdk
for arg in "$@"; do
	case "$arg" in
	--check) check=yes ;;
	--udp) driver=udp ;;
	*)
		echo "usage: scripts/run.sh [--check] [--udp]" >&2
		exit 2
		;;
	esac
done

# without says why DPDK cannot serve here. A check of DPDK has then failed.
without() {
	[ $check = no ] || { echo "$1: nothing can go through DPDK (--check --udp checks kernel UDP sockets)" >&2; exit 1; }
	echo "$1: serving kernel UDP sockets" >&2
	driver=udp
}

want_go || { echo "Go is missing and could not be installed" >&2; exit 1; }
if [ $driver = dpdk ]; then
	need iproute2 command -v ip
	need curl command -v curl
	if [ "$(id -u)" != 0 ]; then
		without "not root, so no DPDK device that the kernel can reach"
	elif [ ! -c /dev/net/tun ]; then
		without "no /dev/net/tun on this machine, so no DPDK tap interface"
	elif ! want_dpdk; then
		without "DPDK cannot be installed"
	fi
fi

mkdir -p bin
echo "building" >&2
if [ $driver = dpdk ]; then
	go build -tags dpdk -o bin/ ./cmd/shredderd
else
	CGO_ENABLED=0 go build -o bin/ ./cmd/shredderd
fi
CGO_ENABLED=0 go build -o bin/ ./cmd/shredder

address=127.0.0.1:9000
admin=127.0.0.1:9100
if [ $driver = dpdk ]; then
	address=198.18.0.1:9000
	bin/shredderd --config scripts/demo.yaml --admin-address $admin &
else
	bin/shredderd --dev --log-level warn --admin-address $admin &
fi
server=$!
stop() {
	kill -TERM $server 2>/dev/null || true
	wait $server 2>/dev/null || true
}
trap stop EXIT
trap 'exit 130' INT TERM

# ready: waits until the server says so, or fails if it has ended.
for _ in $(seq 200); do
	kill -0 $server 2>/dev/null || { wait $server || true; echo "the server ended" >&2; exit 1; }
	curl -fs "http://$admin/readyz" >/dev/null && break
	sleep 0.1
done
curl -fs "http://$admin/readyz" >/dev/null || { echo "the server is not ready after 20 s" >&2; exit 1; }
if [ $driver = dpdk ]; then
	ip address replace 198.18.0.2/24 dev shredder0
	ip -6 address replace fd53:4852::2/64 dev shredder0 nodad 2>/dev/null || true
	ip link set shredder0 up
fi

export SHREDDER_ADDR=$address
graph=(--generated)
known=""
if [ -r ../shared/data/ego-facebook.txt ]; then
	graph=(--edges ../shared/data/ego-facebook.txt)
	known="347 4060 68675 1540085"
fi
bin/shredder fn deploy cmd/shredderd/demo/demo.js >/dev/null
loaded=$(bin/shredder import "${graph[@]}" --answers)
echo "loaded: $(head -1 <<<"$loaded")"
answers=$(tail -1 <<<"$loaded")
[ -z "$known" ] || [ "$answers" = "$known" ] || { echo "the graph's answers are $answers, known are $known" >&2; exit 1; }

if [ $check = yes ]; then
	depth=0
	for want in $answers; do
		depth=$((depth + 1))
		got=$(bin/shredder call countFriends 0 $depth)
		echo "countFriends(0, $depth) = $got"
		[ "$got" = "$want" ] || { echo "wrong: it is $want" >&2; exit 1; }
	done
	[ $depth = 4 ] || { echo "$depth answers to compare with instead of 4" >&2; exit 1; }
	if [ $driver = dpdk ]; then
		frames=$(curl -fs "http://$admin/metrics" | awk '/^shredder_port_ipackets_total/ { n += $NF } END { printf "%d", n }')
		echo "frames received through net_tap: $frames"
		[ "$frames" -gt 4 ] || { echo "no frame went through DPDK" >&2; exit 1; }
	fi
	exit 0
fi

cat <<TXT

Serving $address (tenant "dev", no token). In another terminal, in this directory:

  export SHREDDER_ADDR=$address
  bin/shredder call countFriends 0 2         # a function beside the data
  bin/shredder set greeting hello && bin/shredder get greeting
  bin/shredder fn deploy my-functions.js     # docs/functions.md
  bin/shredder stats
  curl -s http://$admin/metrics              # and /debug/pprof/

Ctrl-C ends it.
TXT
wait $server
