package dpdk

import (
	"fmt"
	"strings"
)

// PortConfig is what OpenPort asks of a device. The zero value of every field
// but Name and ID means the default that is named with it.
type PortConfig struct {
	// Name is the device's name ("net_memif0", "0000:03:00.0"); if it is empty, ID counts.
	Name string
	ID   uint16
	// Queues is the number of receive and transmit queue pairs (1).
	Queues int
	// RxRing and TxRing are ring sizes in descriptors (what the driver
	// recommends, else 1024, within the device's limits).
	RxRing, TxRing int
	// MempoolSize is the number of mbufs for all queues (enough for all rings,
	// stages and caches, at least 4095).
	MempoolSize int
	// MTU is the largest IP packet in bytes (the device's own, normally 1500).
	MTU int
	// FlowBasePort, if not 0, asks for rules that bring UDP destination port
	// FlowBasePort+i to queue i. Steering tells whether the device took them.
	FlowBasePort uint16
	// Promiscuous receives frames for any address. Devices without the notion
	// receive them anyway and are not asked.
	Promiscuous bool
	// ChecksumOffload has the device write IP and UDP checksums on transmit
	// where it can. It is off by default because some drivers pay more for it
	// than software does (i40e leaves its vector path).
	ChecksumOffload bool
}

// Steering is how a port spreads received frames over its queues.
type Steering string

const (
	// SteeringSingle: there is one queue.
	SteeringSingle Steering = "single"
	// SteeringFlow: rte_flow rules bring each UDP port to its queue.
	SteeringFlow Steering = "flow"
	// SteeringRSS: the device hashes addresses and ports.
	SteeringRSS Steering = "rss"
	// SteeringDevice: the device or its peer chooses the queue by itself.
	SteeringDevice Steering = "device"
)

// RingLimits bounds a ring's size in descriptors.
type RingLimits struct{ Min, Max, Align int }

func (l RingLimits) String() string {
	s := fmt.Sprintf("%d to %d descriptors", l.Min, l.Max)
	if l.Align > 1 {
		s += fmt.Sprintf(" in steps of %d", l.Align)
	}
	return s
}

func (l RingLimits) check(n int) bool {
	return n >= l.Min && n <= l.Max && (l.Align <= 1 || n%l.Align == 0)
}

// clamp brings n into the limits, rounded up to the alignment where there is room.
func (l RingLimits) clamp(n int) int {
	n = min(max(n, l.Min), l.Max)
	if l.Align > 1 && n%l.Align != 0 {
		n = n / l.Align * l.Align
		if n < l.Min {
			n += l.Align
		}
	}
	return n
}

// Info describes a device: what it offers and what is configured.
type Info struct {
	ID                         uint16
	Name, Driver               string
	Socket                     int // NUMA node, −1 if any
	MaxRxQueues, MaxTxQueues   int
	MinMTU, MaxMTU, MTU        int
	RxRingLimits, TxRingLimits RingLimits
	// Offload and hash names as DPDK spells them.
	RxOffloads, TxOffloads               []string // offered
	EnabledRxOffloads, EnabledTxOffloads []string
	RSS                                  bool // can hash UDP over its queues
	Queues, RxRing, TxRing               int
	MempoolSize                          int
	Steering                             Steering
	// SteeringReason says why flow rules that were asked for are not active.
	SteeringReason string
	Promiscuous    bool
}

// Link is a port's link state. Speed is in Mbit/s.
type Link struct {
	Up, FullDuplex, Autoneg bool
	Speed                   uint32
}

func (l Link) String() string {
	if !l.Up {
		return "down"
	}
	duplex := "half"
	if l.FullDuplex {
		duplex = "full"
	}
	return fmt.Sprintf("up, %d Mbit/s, %s duplex", l.Speed, duplex)
}

// PortStats are the device's basic counters, named as in struct rte_eth_stats.
type PortStats struct {
	Ipackets, Opackets, Ibytes, Obytes  uint64
	Imissed, Ierrors, Oerrors, RxNoMbuf uint64
}

// XStat is one extended statistic under its DPDK name ("rx_good_packets").
type XStat struct {
	Name  string
	Value uint64
}

// hasLcoreArg tells whether the arguments choose the EAL's own lcores.
func hasLcoreArg(args []string) bool {
	for _, a := range args {
		if a == "-l" || a == "-c" || strings.HasPrefix(a, "--lcores") || a == "-s" ||
			(strings.HasPrefix(a, "-l") || strings.HasPrefix(a, "-c")) && !strings.HasPrefix(a, "--") {
			return true
		}
	}
	return false
}
