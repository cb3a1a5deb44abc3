//go:build !dpdk

package dpdk

import (
	"errors"

	"shredder/dataplane/nic"
)

var errNotBuilt = errors.New("this binary has no DPDK: install libdpdk-dev (22.11 or newer) and pkg-config, " +
	"then build with CGO_ENABLED=1 go build -tags dpdk; or use the udp driver")

// Available says whether DPDK is built in: here it is not, and the error says how to get it.
func Available() error { return errNotBuilt }

// EAL is the environment abstraction layer; without DPDK there is none.
type EAL struct{}

// Init returns the error of Available.
func Init([]string) (*EAL, error) { return nil, errNotBuilt }

// Close does nothing.
func (*EAL) Close() error { return nil }

// Version returns "none".
func Version() string { return "none" }

// RegisterThread returns the error of Available.
func RegisterThread() (unregister func(), err error) { return nil, errNotBuilt }

// Ports returns nothing.
func Ports() []string { return nil }

// Port is an Ethernet device; without DPDK there is none.
type Port struct{}

// OpenPort returns the error of Available.
func OpenPort(PortConfig) (*Port, error) { return nil, errNotBuilt }

// Start returns the error of Available.
func (*Port) Start() error { return errNotBuilt }

// Stop returns the error of Available.
func (*Port) Stop() error { return errNotBuilt }

// Close does nothing.
func (*Port) Close() error { return nil }

// Queue returns nil.
func (*Port) Queue(int) nic.Queue { return nil }

// Mempool returns nil.
func (*Port) Mempool() *Mempool { return nil }

// MAC returns zeros.
func (*Port) MAC() [6]byte { return [6]byte{} }

// Info returns the error of Available.
func (*Port) Info() (Info, error) { return Info{}, errNotBuilt }

// Link returns the error of Available.
func (*Port) Link() (Link, error) { return Link{}, errNotBuilt }

// Stats returns the error of Available.
func (*Port) Stats() (PortStats, error) { return PortStats{}, errNotBuilt }

// XStats returns the error of Available.
func (*Port) XStats() ([]XStat, error) { return nil, errNotBuilt }

// Unfit returns 0.
func (*Port) Unfit() uint64 { return 0 }

// Mempool is a pool of mbufs; without DPDK there is none.
type Mempool struct{}

// InUse returns 0.
func (*Mempool) InUse() int { return 0 }

// Size returns 0.
func (*Mempool) Size() int { return 0 }
