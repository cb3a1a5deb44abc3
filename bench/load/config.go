// Package load is the load generator: requests built ahead, sent in a closed
// loop at a depth, in an open loop at a rate, or as a flood, over any nic.Queue,
// and replies counted by status with their latency.
//
// A Generator owns its queue and belongs to one thread.
package load

import (
	"fmt"
	"net/netip"

	"shredder/pktproc/wire"
)

// Endpoint is one end of the traffic.
type Endpoint struct {
	MAC  [6]byte
	IP   netip.Addr
	Port uint16
}

// Kind is what a datagram asks for.
type Kind uint8

const (
	Ping Kind = iota
	Get
	Set
	Call
	kinds
)

var kindNames = [kinds]string{"ping", "get", "set", "call"}

func (k Kind) String() string { return kindNames[k] }

// ParseKind reads a kind's name.
func ParseKind(name string) (Kind, error) {
	for k, n := range kindNames {
		if n == name {
			return Kind(k), nil
		}
	}
	return 0, fmt.Errorf("kind of request %q: want ping, get, set or call", name)
}

// Share is a kind and how often it comes, relative to the other shares.
type Share struct {
	Kind   Kind
	Weight int
}

// Session is what a HELLO exchange gave; see Hello.
type Session struct {
	ID, Tenant uint32
	Secret     uint64
}

// Config describes the requests. Local.Port is the first source port; session i
// uses Local.Port+i.
type Config struct {
	Local, Remote Endpoint
	// Tenant is the id in trusted datagrams; with Tenants > 1, Tenant to
	// Tenant+Tenants-1 take turns. With Sessions it is not used.
	Tenant   uint32
	Tenants  int
	Sessions []Session

	Mix []Share
	// OpsPerDatagram operations of the datagram's kind stand in each datagram (1).
	OpsPerDatagram int
	// Keys is the number of keys of each tenant; key i is the integer i if
	// KeySize is 0, else KeySize bytes: 'k' and i in hexadecimal.
	Keys, KeySize int
	ValueSize     int
	// Zipf draws keys by Zipf with Theta (0.99 if 0), else uniformly.
	Zipf  bool
	Theta float64
	Seed  uint64

	// Echo: the other side is no Shredder but sends frames back with their
	// addresses swapped (dpdk-testpmd --forward-mode=5tswap).
	Echo bool

	// Function and Args (encoded) are what a call calls; with KeyArg its one
	// argument is a key, an integer, and Args is not used.
	Function string
	Args     []byte
	KeyArg   bool

	// Beside, if set, is sent now and then beside the requests that count.
	Beside *Beside
}

// Beside is a trusted call that disturbs: its replies come to a port of their
// own and count as foreign frames.
type Beside struct {
	Tenant     uint32
	Function   string
	EveryNanos int64
}

// maxKeys bounds Keys so that a draw is a uint32.
const maxKeys = 1 << 31

func (c *Config) check() error {
	if c.OpsPerDatagram == 0 {
		c.OpsPerDatagram = 1
	}
	if c.Tenants == 0 {
		c.Tenants = 1
	}
	if c.Keys == 0 {
		c.Keys = 1
	}
	if c.Theta == 0 {
		c.Theta = 0.99
	}
	total := 0
	for _, s := range c.Mix {
		if s.Weight < 0 || s.Kind >= kinds {
			return fmt.Errorf("load: share %v of kind %d", s.Weight, s.Kind)
		}
		total += s.Weight
	}
	switch {
	case total == 0:
		return fmt.Errorf("load: the mix is empty")
	case c.OpsPerDatagram < 1 || c.OpsPerDatagram > wire.MaxOps:
		return fmt.Errorf("load: %d operations in a datagram, want 1 to %d", c.OpsPerDatagram, wire.MaxOps)
	case c.Keys < 1 || c.Keys > maxKeys:
		return fmt.Errorf("load: %d keys, want 1 to %d", c.Keys, maxKeys)
	case c.Tenants < 1 || len(c.Sessions) > 0 && c.Tenants > 1:
		return fmt.Errorf("load: %d tenants, want one or more, and one with sessions", c.Tenants)
	case c.Theta <= 0 || c.Theta >= 1:
		return fmt.Errorf("load: Zipf theta %v, want between 0 and 1", c.Theta)
	case c.Local.IP.Is4() != c.Remote.IP.Is4() || !c.Local.IP.IsValid() || !c.Remote.IP.IsValid():
		return fmt.Errorf("load: addresses %v and %v are not of one family", c.Local.IP, c.Remote.IP)
	case int(c.Local.Port)+max(len(c.Sessions), 1) > 1<<16:
		return fmt.Errorf("load: %d sessions leave the port range from %d", len(c.Sessions), c.Local.Port)
	case c.KeySize != 0 && (c.KeySize < 2 || c.KeySize > wire.MaxKeyLen || c.KeySize < 9 && c.Keys > 1<<(4*(c.KeySize-1))):
		return fmt.Errorf("load: %d keys do not fit keys of %d bytes", c.Keys, c.KeySize)
	}
	return nil
}
