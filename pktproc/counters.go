package pktproc

import (
	"sync/atomic"

	"shredder/pktproc/wire"
)

// Drop is why a frame was dropped without an answer.
type Drop uint8

const (
	DropNone        Drop = iota
	DropShort            // a header or the length it announces leaves the frame
	DropVLAN             // more than two tags
	DropEtherType        // neither IPv4, IPv6 nor ARP
	DropForeignMAC       // for another station
	DropGroup            // broadcast or multicast that is nothing to us
	DropBadSource        // from a group address, an unspecified one, our own, or port 0
	DropBadIP            // broken IP header
	DropIPChecksum       // wrong IPv4 header checksum
	DropFragment         // an IP fragment
	DropExtension        // IPv6 extension headers
	DropProtocol         // neither UDP nor ICMP
	DropForeignIP        // for another address
	DropBadUDP           // broken UDP lengths
	DropUDPChecksum      // wrong or missing UDP checksum
	DropForeignPort      // for another UDP port
	DropARP              // broken, not a request, or for another address
	DropICMP             // broken ICMP, or nothing we answer
	DropND               // broken neighbour solicitation, or for another address
	DropRunt             // too short for a wire header
	DropReply            // a reply: only clients take those
	DropHelloRate        // too many HELLOs of this source
	DropForwardFull      // for another lcore, whose ring is full
	DropNoHome           // for an lcore that does not exist
	DropNoBuffer         // no frame for a reply
	NumDrops
)

var dropNames = [NumDrops]string{
	"none", "short", "vlan", "ether_type", "foreign_mac", "group", "bad_source", "bad_ip",
	"ip_checksum", "fragment", "ipv6_extension", "protocol", "foreign_ip", "bad_udp",
	"udp_checksum", "foreign_port", "arp", "icmp", "nd", "runt", "reply", "hello_rate",
	"forward_full", "no_home", "no_buffer",
}

// String is the reason's name in metrics.
func (d Drop) String() string { return dropNames[d] }

// Counters are what one lcore has counted since it started.
type Counters struct {
	Frames     uint64 // received, delivered ones included
	Delivered  uint64 // handed over by another lcore
	Forwarded  uint64 // handed over to another lcore
	Requests   uint64 // datagrams in the wire format
	Replies    uint64 // sent, refusals included
	Hello1     uint64
	Hello2     uint64
	BadCookies uint64 // HELLO2s with a cookie that is none of ours, or too old
	ARP        uint64 // answered
	ND         uint64 // answered
	Echo       uint64 // ICMP and ICMPv6 echoes answered

	Duplicates uint64 // requests answered from a record, or PENDING
	Unrecorded uint64 // replies that found no room in the slabs
	Preempted  uint64 // straight runs that outran their slice
	Slices     uint64 // resumes of a suspended call
	Fuel       uint64
	Calls      uint64 // of functions, that ended
	Compiled   uint64 // of them, those that ran on tier 1
	Deopts     uint64 // runs of tier 1 that were given up

	Sessions, SessionsOpened, SessionsEvicted uint64
	Tasks                                     uint64 // requests that wait or are suspended now
	Coroutines                                uint64 // coroutines that exist now
	Pushes                                    uint64 // pushes open now
	KeptResults, KeptBytes                    uint64 // large results kept now
	RecordBytes                               uint64 // bytes of recorded replies now

	Drops    [NumDrops]uint64
	Ops      [wire.Opcodes]uint64  // operations by opcode; 0: unknown ones
	Statuses [wire.Statuses]uint64 // replies by the datagram's status
}

// numFlat is the number of Counters' fields that are no arrays.
const numFlat = 28

// flat lists the scalar counters in the order of flatNames.
func (c *Counters) flat() [numFlat]*uint64 {
	return [numFlat]*uint64{
		&c.Frames, &c.Delivered, &c.Forwarded, &c.Requests, &c.Replies, &c.Hello1, &c.Hello2,
		&c.BadCookies, &c.ARP, &c.ND, &c.Echo, &c.Duplicates, &c.Unrecorded, &c.Preempted, &c.Slices, &c.Fuel, &c.Calls, &c.Compiled, &c.Deopts,
		&c.Sessions, &c.SessionsOpened, &c.SessionsEvicted, &c.Tasks, &c.Coroutines, &c.Pushes,
		&c.KeptResults, &c.KeptBytes, &c.RecordBytes,
	}
}

var flatNames = [numFlat]string{
	"frames", "delivered", "forwarded", "requests", "replies", "hello1", "hello2",
	"bad_cookies", "arp", "nd", "echo", "duplicates", "unrecorded", "preempted", "slices", "fuel", "calls", "compiled_calls", "deopts",
	"sessions", "sessions_opened", "sessions_evicted", "tasks", "coroutines", "pushes",
	"kept_results", "kept_bytes", "record_bytes",
}

// Each calls visit with every counter's name: "drop_" and "op_" and "status_"
// before those that are counted by kind.
func (c *Counters) Each(visit func(name string, value uint64)) {
	for i, v := range c.flat() {
		visit(flatNames[i], *v)
	}
	for i := 1; i < int(NumDrops); i++ {
		visit("drop_"+dropNames[i], c.Drops[i])
	}
	for i, v := range c.Ops {
		if i == 0 {
			visit("op_unknown", v)
		} else {
			visit("op_"+wire.Opcode(i).String(), v)
		}
	}
	for i, v := range c.Statuses {
		visit("status_"+wire.Status(i).String(), v)
	}
}

// publishedCounters is the copy that other threads read. The lcore counts in
// plain memory and copies when it keeps house: a locked store a count would
// cost more than a small request.
type publishedCounters struct {
	flat     [numFlat]atomic.Uint64
	drops    [NumDrops]atomic.Uint64
	ops      [wire.Opcodes]atomic.Uint64
	statuses [wire.Statuses]atomic.Uint64
}

func (d *publishedCounters) publish(c *Counters) {
	for i, v := range c.flat() {
		d.flat[i].Store(*v)
	}
	for i, v := range c.Drops {
		d.drops[i].Store(v)
	}
	for i, v := range c.Ops {
		d.ops[i].Store(v)
	}
	for i, v := range c.Statuses {
		d.statuses[i].Store(v)
	}
}

// Counters returns the lcore's counters as they were last published, at most a
// few milliseconds ago. Any thread may call it.
func (p *Processor) Counters() *Counters {
	c := new(Counters)
	for i, v := range c.flat() {
		*v = p.published.flat[i].Load()
	}
	for i := range c.Drops {
		c.Drops[i] = p.published.drops[i].Load()
	}
	for i := range c.Ops {
		c.Ops[i] = p.published.ops[i].Load()
	}
	for i := range c.Statuses {
		c.Statuses[i] = p.published.statuses[i].Load()
	}
	return c
}
