// Package tenants owns what a tenant is: its name, tokens, quota, limits, shard,
// functions with their versions, log and counters, and the registry of them all.
//
// Two kinds of thread meet here. The Registry belongs to control threads: it has
// a mutex, allocates, compiles and unmaps. A Local belongs to its home lcore from
// the moment EventInstall is handled until EventRemove is acknowledged; nobody
// else may read or write it, but for the fields said to be constant and for what
// Publish has copied out. Everything that crosses from one side to the other does
// so as an Event (to an lcore's mailbox) or a Job (from an lcore to the registry).
package tenants

import (
	"net/netip"

	"shredder/jit"
	"shredder/store"
)

// Trust is how far a tenant's functions are trusted.
type Trust uint8

const (
	// TrustSandboxed functions run compiled only, contained whatever they do.
	TrustSandboxed Trust = iota
	// TrustTrusted functions may run in the interpreter inside the data core, too:
	// safe against accidents, not against malice.
	TrustTrusted
)

// String returns the level's name in configurations and statistics.
func (t Trust) String() string {
	if t == TrustSandboxed {
		return "sandboxed"
	}
	return "trusted"
}

// MaxNameLen is the longest name of a tenant in bytes.
const MaxNameLen = 64

// Local is a tenant on its home lcore. Fields from ID to Limits are constant
// and may be read by any thread; the rest is the home lcore's alone.
type Local struct {
	ID   uint32
	Home int
	Name string
	// DataToken and DeployToken are the secrets of the two roles. An empty data
	// token means that none is needed, an empty deploy token that the data token serves.
	DataToken []byte

	// nextTouched is the link of the Publisher's list, nil for what is on none. The
	// list's last points at itself. With the first seven counters it is one
	// cache line, which is all that a request writes of a Local.
	nextTouched *Local
	// Counters count the tenant's requests; Publisher.Touch makes them seen.
	Counters Counters

	DeployToken []byte
	// Trusted are the sources that may send requests without a session. Only
	// tenants without a data token have any.
	Trusted []netip.Prefix
	Quota   uint64 // of the arena, bytes
	Limits  *jit.Limits
	// GraphNodes is how many nodes the graph has that the tenant was made with.
	GraphNodes int

	// Shard is the tenant's data. The home lcore is its one writer.
	Shard *store.Shard
	// Trust is how far the tenant's functions are trusted.
	Trust Trust
	// Engine is the tenant's functions.
	Engine Engine
	// Log is what the functions wrote with console.log.
	Log Log
	// Data is pktproc's own: what it keeps for each tenant.
	Data any

	published published
}

// TrustsSource reports whether addr may send requests without a session.
func (l *Local) TrustsSource(addr netip.Addr) bool {
	for _, p := range l.Trusted {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}
