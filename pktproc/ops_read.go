package pktproc

import (
	"shredder/internal/prefetch"
	"shredder/pktproc/wire"
	"shredder/store"
	"shredder/tenants"
)

// lookup reads one key: through the overlay in an atomic datagram, else from
// the last commit, with the hash of the second pass if there was one.
func (p *Processor) lookup(r *request, op wire.Op) (store.Entry, store.Result) {
	r.cost.Lookups = 1
	if r.overlay {
		return r.t.shard.Overlay().Get(keyOf(op))
	}
	if r.hashed {
		return r.t.shard.GetHashed(p.wanted[r.index].hash, keyOf(op), p.now.UnixMillis)
	}
	return r.t.shard.Get(keyOf(op), p.now.UnixMillis)
}

// get executes GET, whole or of a range.
func (p *Processor) get(r *request, op wire.Op) {
	c := &r.t.local.Counters
	c[tenants.CounterReads]++
	e, res := p.lookup(r, op)
	if res != store.OK {
		c[tenants.CounterMisses]++
		r.fail(op, p.status(r.t, res))
		return
	}
	value := e.Value
	if op.Flags()&wire.OpFlagRange != 0 {
		if v := op.Word(0); v != 0 && v != e.Version {
			r.reply1(op, wire.StatusChanged, e.Version)
			return
		}
		off, n := op.Word(1)>>32, op.Word(1)&0xffffffff
		if off > uint64(len(value)) {
			r.fail(op, wire.StatusBadArgument)
			return
		}
		value = value[off:]
		value = value[:min(n, uint64(len(value)))]
	}
	const fixed = 16
	if r.spare < fixed {
		r.fail(op, wire.StatusTooLarge)
		return
	}
	n := min(len(value), r.spare-fixed-r.receiptRoom(fixed))
	flags := uint8(0)
	if n < len(value) {
		flags = wire.OpFlagPartial
	}
	r.cost.BytesRead, r.cost.BytesReturned = uint64(n), uint64(n)
	c[tenants.CounterBytesRead] += uint64(n)
	r.w.Begin(wire.OpGet, flags, wire.StatusOK)
	r.w.Word(e.Version)
	r.w.Word(uint64(len(e.Value)))
	r.putReceipt(fixed)
	r.w.Value(value[:n])
	r.w.End()
}

// ping echoes the value.
func (r *request) ping(op wire.Op) {
	r.w.Begin(wire.OpPing, 0, wire.StatusOK)
	r.putReceipt(len(op) - wire.OpHeaderSize)
	r.w.Value(op.Value())
	r.w.End()
}

// readTTL answers how long a key will live.
func (p *Processor) readTTL(r *request, op wire.Op) {
	c := &r.t.local.Counters
	c[tenants.CounterReads]++
	e, res := p.lookup(r, op)
	if res != store.OK {
		c[tenants.CounterMisses]++
		r.fail(op, p.status(r.t, res))
		return
	}
	r.reply2(op, wire.StatusOK, e.Version, remaining(e.ExpireMillis, p.now.UnixMillis))
}

// remaining is the wire's form of a time to live: −1 for none.
func remaining(expireMillis, nowMillis int64) uint64 {
	if expireMillis == 0 {
		return ^uint64(0)
	}
	return uint64(expireMillis - nowMillis)
}

// itemKey is the store's key of an item.
func itemKey(it *wire.Item) store.Key {
	if it.Bytes == nil {
		return store.IntKey(it.Int)
	}
	return store.BytesKey(it.Bytes)
}

// maxItems is the most keys that a MULTI-GET of one datagram can name.
const maxItems = wire.MaxDatagram / 16

// multiGet reads many keys of one commit, in passes like those of a burst.
// Values without room are left out and marked; their sizes are answered.
func (p *Processor) multiGet(r *request, op wire.Op) {
	n := int(op.Word(0))
	const fixed = 8
	receipt := r.receiptRoom(fixed + n*wire.FoundHeaderSize)
	room := r.spare - fixed - receipt
	if room < n*wire.FoundHeaderSize {
		r.fail(op, wire.StatusTooLarge)
		return
	}
	shard := r.t.shard
	hashes := p.itemHashes[:0]
	for rest := op.Value(); len(rest) > 0; {
		it, next, _ := wire.FirstItem(rest)
		rest = next
		h := shard.Hash(itemKey(&it))
		p.lines[len(hashes)] = shard.BucketLine(h)
		hashes = append(hashes, h)
	}
	lines := p.lines[:len(hashes)]
	prefetch.Lines(lines)
	for i, h := range hashes {
		_, lines[i] = shard.FindSpot(h)
	}
	prefetch.Blocks(lines)
	// The receipt stands in front of the answers, so it is written when they are
	// known: in place, over words kept free for it.
	r.w.Begin(wire.OpMultiGet, 0, wire.StatusOK)
	r.w.Word(uint64(n))
	if receipt != 0 {
		r.w.Receipt(wire.Receipt{Lookups: uint64(n)})
	}
	dst := r.w.ValueRoom()[:0:room]
	rest := op.Value()
	for i := range hashes {
		it, next, _ := wire.FirstItem(rest)
		rest = next
		dst = p.appendFound(r, dst, hashes[i], itemKey(&it), room-(n-i)*wire.FoundHeaderSize)
	}
	r.w.ValueDone(len(dst))
	if receipt != 0 {
		r.w.SetWord(3, r.cost.BytesRead)
		r.w.SetWord(4, r.cost.BytesReturned)
	}
	r.w.End()
	c := &r.t.local.Counters
	c[tenants.CounterReads] += uint64(n)
	c[tenants.CounterBytesRead] += r.cost.BytesRead
}

// appendFound appends the answer for one key. used may reach limit before its
// header, so that the headers of the others keep their room.
func (p *Processor) appendFound(r *request, dst []byte, hash uint64, k store.Key, limit int) []byte {
	var e store.Entry
	var res store.Result
	if r.overlay {
		e, res = r.t.shard.Overlay().Get(k)
	} else {
		e, res = r.t.shard.GetHashed(hash, k, p.now.UnixMillis)
	}
	if res != store.OK {
		r.t.local.Counters[tenants.CounterMisses]++
		return wire.AppendFound(dst, wire.Found{Status: p.status(r.t, res)})
	}
	f := wire.Found{Version: e.Version, Value: e.Value}
	if len(dst)+(len(e.Value)+7)&^7 > limit {
		f = wire.Found{Version: e.Version, Partial: true, Size: uint32(len(e.Value))}
	} else {
		r.cost.BytesRead += uint64(len(e.Value))
		r.cost.BytesReturned += uint64(len(e.Value))
	}
	return wire.AppendFound(dst, f)
}

// scan lists keys from a cursor on, as many as asked for and as fit.
func (p *Processor) scan(r *request, op wire.Op) {
	const fixed = 16
	receipt := r.receiptRoom(fixed)
	room := r.spare - fixed - receipt
	if room < wire.ItemSize(wire.MaxKeyLen, 0) {
		r.fail(op, wire.StatusTooLarge) // a key might not fit: the cursor could never move on
		return
	}
	limit := min(int(op.Word(1)), room/wire.ItemSize(8, 0)) // no more work than the reply can be worth
	r.w.Begin(wire.OpScan, 0, wire.StatusOK)
	r.w.Word(op.Word(0))
	r.w.Word(0)
	if receipt != 0 {
		r.w.Receipt(wire.Receipt{})
	}
	dst := r.w.ValueRoom()[:0:room]
	n := 0
	visit := func(k store.Key, _ store.Entry) bool {
		if k.Bytes == nil {
			if len(dst)+wire.ItemSize(8, 0) > room {
				return false
			}
			dst = wire.AppendIntItem(dst, k.Int, false, nil)
		} else {
			if len(dst)+wire.ItemSize(len(k.Bytes), 0) > room {
				return false
			}
			dst = wire.AppendBytesItem(dst, k.Bytes, false, nil)
		}
		n++
		return true
	}
	var next uint64
	var res store.Result
	if r.overlay {
		next, res = r.t.shard.Overlay().Scan(op.Word(0), limit, visit)
	} else {
		next, res = r.t.shard.Scan(op.Word(0), limit, p.now.UnixMillis, visit)
	}
	r.t.local.Counters[tenants.CounterReads]++
	if res != store.OK {
		r.w.Rewind()
		r.fail(op, p.status(r.t, res))
		return
	}
	r.w.SetWord(0, next)
	r.w.SetWord(1, uint64(n))
	if receipt != 0 {
		r.w.SetWord(3, uint64(n)) // lookups
	}
	r.w.ValueDone(len(dst))
	r.w.End()
}
