#!/usr/bin/env bash
# setup.sh: installs what the project needs and this machine lacks. Sourced by the
# other scripts; says what it installs, and nothing when nothing is missing.

# need PACKAGE PROBE...: adds PACKAGE to the list if the probe command fails.
missing=()
need() {
	local package=$1
	shift
	"$@" >/dev/null 2>&1 || missing+=("$package")
}

# as_root COMMAND...: runs it as root, by sudo if need be and possible.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		return 1
	fi
}

# install_missing: installs the collected packages, or fails with the command that would.
install_missing() {
	[ ${#missing[@]} = 0 ] && return 0
	echo "installing: ${missing[*]}" >&2
	if ! command -v apt-get >/dev/null; then
		echo "this is no Debian: please install ${missing[*]}" >&2
		return 1
	fi
	as_root apt-get update -qq >&2 &&
		as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2 || {
		echo "could not install; as root: apt-get install ${missing[*]}" >&2
		return 1
	}
	missing=()
}

# want_go: Go at least as new as go.mod asks for. Debian's own go fetches a newer
# toolchain by itself (GOTOOLCHAIN=auto, Go 1.21 and later); bookworm has such
# a one in backports only, so that is where it is taken from there.
want_go() {
	if ! command -v go >/dev/null && [ -x /usr/local/go/bin/go ]; then
		PATH=$PATH:/usr/local/go/bin
	fi
	if command -v go >/dev/null && go version >/dev/null 2>&1; then
		return 0
	fi
	as_root apt-get update -qq >&2 || return 1
	if ! apt-cache policy golang-1.2{1,2,3,4,5,6}-go 2>/dev/null | grep -q 'Candidate: 1'; then
		# shellcheck disable=SC1091
		. /etc/os-release
		# The backports stand beside the archive that this machine already uses.
		local site
		site=$(apt-get indextargets --format '$(SITE)' 'Codename: '"$VERSION_CODENAME" | head -1)
		echo "deb ${site} ${VERSION_CODENAME}-backports main" |
			as_root tee /etc/apt/sources.list.d/shredder-backports.list >/dev/null
		as_root apt-get update -qq >&2 || return 1
	fi
	local newest
	newest=$(apt-cache pkgnames golang-1. | grep -E '^golang-1\.[0-9]+-go$' | sort -t. -k2 -n | tail -1)
	echo "installing: $newest" >&2
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$newest" >&2 || return 1
	PATH=$PATH:/usr/lib/${newest%-go}/bin
	PATH=${PATH/golang-/go-}
	go version >/dev/null
}

export GOFLAGS="${GOFLAGS:-} -buildvcs=false"

# want_dpdk: DPDK's libraries and a C compiler, so that -tags dpdk builds.
want_dpdk() {
	need gcc command -v gcc
	need pkg-config command -v pkg-config
	need libdpdk-dev pkg-config --atleast-version=22.11 libdpdk
	need dpdk command -v dpdk-testpmd
	install_missing
}

# want_node: Node, whose engine is a third opinion on what JavaScript means.
want_node() {
	need nodejs command -v node
}

# want_clients: redis-server and the clients that the front door is tested with.
want_clients() {
	need redis-server command -v redis-server
	need redis-tools command -v redis-benchmark
	need nodejs command -v node
	need npm command -v npm
	need gcc command -v gcc
	need pkg-config command -v pkg-config
	need libhiredis-dev pkg-config --exists hiredis
	need python3-redis /usr/bin/python3 -c 'import redis'
	install_missing
}
