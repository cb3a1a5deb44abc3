//go:build dpdk

package dpdk

// #include <rte_ethdev.h>
// #include "port.h"
import "C"

import (
	"fmt"
	"strings"
)

// Info describes the device as it is configured.
func (p *Port) Info() (Info, error) {
	i, c := &p.info, &p.config
	return Info{
		ID: c.ID, Name: c.Name, Driver: C.GoString(&i.driver[0]), Socket: int(i.socket),
		MaxRxQueues: int(i.max_rx_queues), MaxTxQueues: int(i.max_tx_queues),
		MinMTU: int(i.min_mtu), MaxMTU: int(i.max_mtu), MTU: c.MTU,
		RxRingLimits: ringLimits(i.rx_desc), TxRingLimits: ringLimits(i.tx_desc),
		RxOffloads: rxOffloadNames(i.rx_offloads), TxOffloads: txOffloadNames(i.tx_offloads),
		EnabledRxOffloads: rxOffloadNames(p.applied.rx_offloads), EnabledTxOffloads: txOffloadNames(p.applied.tx_offloads),
		RSS:    rssTypes(i.rss_types) != 0,
		Queues: c.Queues, RxRing: c.RxRing, TxRing: c.TxRing, MempoolSize: p.pool.size,
		Steering: p.steering, SteeringReason: p.reason,
		Promiscuous: C.rte_eth_promiscuous_get(p.id) == 1,
	}, nil
}

// Link returns the link state without waiting for a change.
func (p *Port) Link() (Link, error) {
	var l C.struct_shred_link
	if err := errnoError("read link", int(C.shred_port_link(p.id, &l))); err != nil {
		return Link{}, err
	}
	return Link{Up: l.up != 0, FullDuplex: l.duplex != 0, Autoneg: l.autoneg != 0, Speed: uint32(l.speed)}, nil
}

// Stats returns the device's basic counters.
func (p *Port) Stats() (PortStats, error) {
	var s C.struct_rte_eth_stats
	if err := errnoError("read stats", int(C.rte_eth_stats_get(p.id, &s))); err != nil {
		return PortStats{}, err
	}
	return PortStats{
		Ipackets: uint64(s.ipackets), Opackets: uint64(s.opackets), Ibytes: uint64(s.ibytes), Obytes: uint64(s.obytes),
		Imissed: uint64(s.imissed), Ierrors: uint64(s.ierrors), Oerrors: uint64(s.oerrors), RxNoMbuf: uint64(s.rx_nombuf),
	}, nil
}

// XStats returns all extended statistics in the driver's order.
func (p *Port) XStats() ([]XStat, error) {
	n := C.rte_eth_xstats_get_names(p.id, nil, 0)
	if err := errnoError("read xstats", int(n)); err != nil || n == 0 {
		return nil, err
	}
	names := make([]C.struct_rte_eth_xstat_name, n)
	values := make([]C.struct_rte_eth_xstat, n)
	namesN := C.rte_eth_xstats_get_names(p.id, &names[0], C.uint(n))
	valuesN := C.rte_eth_xstats_get(p.id, &values[0], C.uint(n))
	if namesN != n || valuesN != n {
		return nil, fmt.Errorf("dpdk: read xstats: %d names and %d values of %d", namesN, valuesN, n)
	}
	stats := make([]XStat, 0, n)
	for _, v := range values {
		if v.id < C.uint64_t(n) {
			stats = append(stats, XStat{Name: C.GoString(&names[v.id].name[0]), Value: uint64(v.value)})
		}
	}
	return stats, nil
}

// Unfit counts frames of all queues that were dropped on receipt because they
// could not be made one writable segment (longer than an mbuf, or the pool was empty).
func (p *Port) Unfit() uint64 {
	var n uint64
	for _, q := range p.queues {
		n += q.unfit()
	}
	return n
}

func ringLimits(l C.struct_shred_limits) RingLimits {
	return RingLimits{Min: int(l.min), Max: int(l.max), Align: int(l.align)}
}

func rxOffloadNames(mask C.uint64_t) []string {
	return offloadNames(mask, func(bit C.uint64_t) *C.char { return C.rte_eth_dev_rx_offload_name(bit) })
}

func txOffloadNames(mask C.uint64_t) []string {
	return offloadNames(mask, func(bit C.uint64_t) *C.char { return C.rte_eth_dev_tx_offload_name(bit) })
}

func offloadNames(mask C.uint64_t, name func(C.uint64_t) *C.char) []string {
	var names []string
	for bit := C.uint64_t(1); bit != 0; bit <<= 1 {
		if mask&bit != 0 {
			names = append(names, C.GoString(name(bit)))
		}
	}
	return names
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
