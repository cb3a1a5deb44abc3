package pktproc

import (
	"encoding/binary"

	"shredder/dataplane/nic"
	"shredder/pktproc/wire"
	"shredder/store"
	"shredder/tenants"
)

// onlyGets says whether ops are GETs of whole values and nothing else.
func onlyGets(ops []byte) bool {
	for {
		op, rest, ok := wire.FirstOp(ops)
		if !ok {
			return true
		}
		head := binary.LittleEndian.Uint64(op)
		if uint32(head)&^(wire.OpFlagIntKey<<8) != uint32(wire.OpGet) || head>>48 != 0 || head>>32 == 0 {
			return false
		}
		ops = rest
	}
}

// serveGets answers a datagram of GETs, writing each reply where it belongs:
// it saves some 20 ns an operation over exec and its Writer.
func (p *Processor) serveGets(f *nic.Frame, pf *parsed) {
	const fixed = wire.OpHeaderSize + 16
	t := pf.t
	rest := p.scratch[:copy(p.scratch[:], pf.ops)]
	room := p.payload(f, &pf.l)
	hashes := p.touchGets(t, rest)
	at, n := wire.HeaderSize, 0
	var misses, read uint64
	full := wire.StatusOK
	for {
		op, next, ok := wire.FirstOp(rest)
		if !ok {
			break
		}
		rest = next
		e, res := t.shard.GetHashed(hashes[n], keyOf(op), p.now.UnixMillis)
		n++
		// Each reply to come keeps room for a status, at least.
		spare := len(room) - at - len(rest)
		if spare < wire.OpHeaderSize { // the MTU is smaller than the client's
			full = wire.StatusTooLarge
			n--
			break
		}
		st := wire.StatusOK
		if res != store.OK {
			misses++
			st = p.status(t, res)
		} else if spare < fixed {
			st = wire.StatusTooLarge
		}
		b := room[at:]
		if st != wire.StatusOK {
			putOp(b, wire.OpGet, 0, st, 0, 0)
			at += wire.OpHeaderSize
			continue
		}
		size, flags := len(e.Value), uint8(0)
		if size > spare-fixed {
			size, flags = spare-fixed, wire.OpFlagPartial
		}
		end := fixed + (size+7)&^7
		binary.LittleEndian.PutUint64(b[end-8:], 0) // the padding, unless a word or the value covers it
		putOp(b, wire.OpGet, flags, wire.StatusOK, 2, size)
		binary.LittleEndian.PutUint64(b[8:], e.Version)
		binary.LittleEndian.PutUint64(b[16:], uint64(len(e.Value)))
		copy(b[fixed:], e.Value[:size])
		read += uint64(size)
		at += end
	}
	c := &t.local.Counters
	c[tenants.CounterOperations] += uint64(n)
	c[tenants.CounterReads] += uint64(n)
	c[tenants.CounterMisses] += misses
	c[tenants.CounterBytesRead] += read
	p.n.Ops[wire.OpGet] += uint64(n)
	p.finish(f, &pf.l, n, full, at-wire.HeaderSize)
}

// touchGets is the second and third pass for one datagram of GETs: alone it
// overlaps as many misses as the CPU can, and its lines are still in the first
// cache when they are wanted, which those of 32 such datagrams would not be.
func (p *Processor) touchGets(t *tenant, ops []byte) []uint64 {
	n := 0
	for {
		op, rest, ok := wire.FirstOp(ops)
		if !ok {
			break
		}
		ops = rest
		h := t.shard.Hash(keyOf(op))
		t.shard.TouchBucket(h)
		p.itemHashes[n] = h
		n++
	}
	for _, h := range p.itemHashes[:n] {
		t.shard.TouchEntry(h)
	}
	return p.itemHashes[:n]
}
