//go:build dpdk

package dpdk

// #include <rte_errno.h>
// #include <rte_ethdev.h>
// #include "port.h"
// #include "queue.h"
import "C"

import (
	"errors"
	"fmt"

	"shredder/dataplane/nic"
)

// Port is an Ethernet device that OpenPort configured. Its methods are for
// control threads, one at a time; Stats, XStats and Link may run beside lcores.
type Port struct {
	id       C.uint16_t
	config   PortConfig // with the defaults filled in
	info     C.struct_shred_info
	applied  C.struct_shred_port_conf
	pool     *Mempool
	queues   []*queue
	steering Steering
	reason   string // why flow rules are not active
	started  bool
	closed   bool
}

const (
	defaultRing = 1024
	// frameOverhead is what a frame has beside its IP packet: Ethernet header,
	// two VLAN tags, frame check sequence.
	frameOverhead = 14 + 2*4 + 4
)

// OpenPort configures a device that the EAL found. What the device refuses is
// an error that says what it offers. The port is silent until Start. After an
// error that comes from the driver itself the device is closed for good.
func OpenPort(config PortConfig) (*Port, error) {
	p := &Port{config: config}
	if err := p.find(); err != nil {
		return nil, err
	}
	if err := p.resolve(); err != nil {
		return nil, err
	}
	frameLen := p.frameRoom()
	pool, err := newMempool(fmt.Sprintf("shredder_port%d", p.id), p.config.MempoolSize, frameLen, int(p.info.socket))
	if err != nil {
		return nil, err
	}
	p.pool = pool
	if err := p.configure(); err != nil {
		C.rte_eth_dev_close(p.id)
		pool.free()
		return nil, err
	}
	return p, nil
}

// find turns the configured name or id into a device.
func (p *Port) find() error {
	p.id = C.uint16_t(p.config.ID)
	if name := p.config.Name; name != "" {
		cname, release := cstring(name)
		defer release()
		if C.rte_eth_dev_get_port_by_name(cname, &p.id) != 0 {
			return fmt.Errorf("dpdk: no port is named %q; there are: %s", name, list(Ports()))
		}
	}
	if C.rte_eth_dev_is_valid_port(p.id) == 0 {
		return fmt.Errorf("dpdk: no port has id %d; there are: %s", p.id, list(Ports()))
	}
	if err := errnoError("device info", int(C.shred_port_info(p.id, &p.info))); err != nil {
		return err
	}
	p.config.ID, p.config.Name = uint16(p.id), C.GoString(&p.info.device[0])
	return nil
}

// resolve fills in defaults and checks everything that the device publishes limits for.
func (p *Port) resolve() error {
	c, info := &p.config, &p.info
	if c.Queues == 0 {
		c.Queues = 1
	}
	if c.Queues < 0 || c.Queues > int(info.max_rx_queues) || c.Queues > int(info.max_tx_queues) {
		return p.refuse("%d queues: it offers %d to receive and %d to send", c.Queues, info.max_rx_queues, info.max_tx_queues)
	}
	rings := []struct {
		what        string
		n           *int
		limits      RingLimits
		recommended int
	}{
		{"receive", &c.RxRing, ringLimits(info.rx_desc), int(info.default_rx_desc)},
		{"transmit", &c.TxRing, ringLimits(info.tx_desc), int(info.default_tx_desc)},
	}
	for _, r := range rings {
		if *r.n == 0 {
			*r.n = r.limits.clamp(max(r.recommended, defaultRing))
		}
		if !r.limits.check(*r.n) {
			return p.refuse("a %s ring of %d: it offers %v", r.what, *r.n, r.limits)
		}
	}
	if c.MTU != 0 && (c.MTU < int(info.min_mtu) || c.MTU > int(info.max_mtu)) {
		return p.refuse("an MTU of %d bytes: it offers %d to %d", c.MTU, info.min_mtu, info.max_mtu)
	}
	// Every mbuf may sit in a ring, a stage or a cache at once and there must still be one to receive into.
	need := c.Queues*(c.RxRing+c.TxRing+C.SHRED_BURST+C.SHRED_STAGED+C.SHRED_SPARE+2*mempoolCache) + C.SHRED_BURST
	if c.MempoolSize == 0 {
		c.MempoolSize = max(4095, powerOfTwo(need)-1)
	}
	if least := c.Queues * (c.RxRing + C.SHRED_BURST + C.SHRED_SPARE); c.MempoolSize < least {
		return p.refuse("a mempool of %d mbufs: its receive rings and the queues' stock take %d, all of a full load %d", c.MempoolSize, least, need)
	}
	if c.FlowBasePort != 0 && int(c.FlowBasePort)+c.Queues-1 > 0xffff {
		return p.refuse("UDP ports from %d for %d queues: the last would be past 65535", c.FlowBasePort, c.Queues)
	}
	return nil
}

// refuse is the error for a setting that the device does not offer.
func (p *Port) refuse(format string, args ...any) error {
	return fmt.Errorf("dpdk: port %s (%s) cannot have %s", p.config.Name, C.GoString(&p.info.driver[0]), fmt.Sprintf(format, args...))
}

// frameRoom is the room an mbuf needs for a whole frame, in the steps that
// drivers round receive buffers down to.
func (p *Port) frameRoom() int {
	const step = 1024
	return (max(p.config.MTU, 1500) + frameOverhead + step - 1) / step * step
}

func (p *Port) configure() error {
	c := &p.config
	p.applied = C.struct_shred_port_conf{
		queues:  C.uint16_t(c.Queues),
		rx_desc: C.uint16_t(c.RxRing),
		tx_desc: C.uint16_t(c.TxRing),
		mtu:     C.uint32_t(c.MTU),
		pool:    p.pool.c,
		socket:  p.info.socket,
		// Looking at checksums costs nothing where a device offers it.
		rx_offloads: p.info.rx_offloads & (C.RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | C.RTE_ETH_RX_OFFLOAD_UDP_CKSUM),
		tx_offloads: p.info.tx_offloads & C.RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE,
	}
	if c.ChecksumOffload {
		p.applied.tx_offloads |= p.info.tx_offloads & (C.RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | C.RTE_ETH_TX_OFFLOAD_UDP_CKSUM)
	}
	if c.Queues > 1 {
		p.applied.rss_types = rssTypes(p.info.rss_types)
	}
	if ret := C.shred_port_configure(p.id, &p.applied); ret != 0 {
		return p.refuse("%d queues, rings of %d and %d, MTU %d: %s. It offers up to %d and %d queues, rings of %v and %v, MTU %d to %d, receive offloads %s, transmit offloads %s",
			c.Queues, c.RxRing, c.TxRing, c.MTU, errnoText(int(ret)),
			p.info.max_rx_queues, p.info.max_tx_queues, ringLimits(p.info.rx_desc), ringLimits(p.info.tx_desc),
			p.info.min_mtu, p.info.max_mtu, list(rxOffloadNames(p.info.rx_offloads)), list(txOffloadNames(p.info.tx_offloads)))
	}
	if err := p.setMTU(); err != nil {
		return err
	}
	if c.Promiscuous {
		if ret := C.rte_eth_promiscuous_enable(p.id); ret != 0 && ret != -C.ENOTSUP {
			return p.refuse("promiscuous mode: %s", errnoText(int(ret)))
		}
	}
	return p.makeQueues()
}

// setMTU tells kernel-backed devices (tap, af_packet), which configuring alone
// does not reach, and reads back what is in force.
func (p *Port) setMTU() error {
	if p.config.MTU != 0 {
		if ret := C.rte_eth_dev_set_mtu(p.id, C.uint16_t(p.config.MTU)); ret != 0 && ret != -C.ENOTSUP {
			return p.refuse("an MTU of %d bytes: %s; it offers %d to %d", p.config.MTU, errnoText(int(ret)), p.info.min_mtu, p.info.max_mtu)
		}
	}
	var mtu C.uint16_t
	if err := errnoError("read MTU", int(C.rte_eth_dev_get_mtu(p.id, &mtu))); err != nil {
		return err
	}
	p.config.MTU = int(mtu)
	return nil
}

func (p *Port) makeQueues() error {
	caps := nic.Capabilities{
		MTU:            p.config.MTU,
		TxChecksumIPv4: p.applied.tx_offloads&C.RTE_ETH_TX_OFFLOAD_IPV4_CKSUM != 0,
		TxChecksumUDP:  p.applied.tx_offloads&C.RTE_ETH_TX_OFFLOAD_UDP_CKSUM != 0,
	}
	for i := 0; i < p.config.Queues; i++ {
		q, err := newQueue(p, i, caps)
		if err != nil {
			p.closeQueues()
			return err
		}
		p.queues = append(p.queues, q)
	}
	return nil
}

func (p *Port) closeQueues() {
	for _, q := range p.queues {
		q.Close()
	}
}

// Start brings the device up and installs the flow rules that were asked for.
func (p *Port) Start() error {
	if p.closed {
		return errors.New("dpdk: the port is closed")
	}
	if p.started {
		return nil
	}
	if err := errnoError("start port "+p.config.Name, int(C.rte_eth_dev_start(p.id))); err != nil {
		return err
	}
	p.started = true
	p.steer()
	return nil
}

// Stop brings the device down; lcores must not use its queues any more. Start may follow.
func (p *Port) Stop() error {
	if !p.started {
		return nil
	}
	p.started = false
	p.flushFlows()
	return errnoError("stop port "+p.config.Name, int(C.rte_eth_dev_stop(p.id)))
}

// keepsBuffers is the driver that does not hand back what stands in its fill
// ring when it closes (DPDK 22.11).
const keepsBuffers = "net_af_xdp"

// Close stops the device and frees the queues, the device and the mempool. The
// EAL forgets the device: it cannot be opened again. If mbufs are still missing
// from the pool (in frames that somebody holds, or in a ring of another device)
// the pool stays, and the error says how many there are.
func (p *Port) Close() error {
	if p.closed {
		return nil
	}
	err := p.Stop()
	p.closed = true
	p.closeQueues()
	err = errors.Join(err, errnoError("close port "+p.config.Name, int(C.rte_eth_dev_close(p.id))))
	if n := p.pool.InUse(); n != 0 && C.GoString(&p.info.driver[0]) == keepsBuffers {
		return err // the pool stays: the driver may still point into it
	} else if n != 0 {
		return errors.Join(err, fmt.Errorf("dpdk: port %s: %d mbufs have not come back to the mempool", p.config.Name, n))
	}
	p.pool.free()
	return err
}

// Queue returns queue pair i. It is the same object at every call and belongs to one lcore.
func (p *Port) Queue(i int) nic.Queue { return p.queues[i] }

// Mempool returns the pool that all queues of the port share.
func (p *Port) Mempool() *Mempool { return p.pool }

// MAC returns the port's own address. A device that has none (net_ring) gets a
// locally administered one made from its id, so that it can be a host.
func (p *Port) MAC() [6]byte {
	var mac [6]byte
	for i, b := range p.info.mac {
		mac[i] = byte(b)
	}
	if mac == ([6]byte{}) {
		return [6]byte{2, 0, 0, 0, byte(p.id >> 8), byte(p.id) + 1}
	}
	return mac
}

func powerOfTwo(n int) int {
	p := 1
	for p < n {
		p *= 2
	}
	return p
}
