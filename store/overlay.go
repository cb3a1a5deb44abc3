package store

import (
	"bytes"
	"strconv"

	"shredder/store/layout"
)

// MaxOverlayWrites is the most keys that one overlay may write: what one commit links.
const MaxOverlayWrites = 1024

// OverlayLimits bound what an invocation may write.
type OverlayLimits struct {
	// Writes is the most keys, at most MaxOverlayWrites (also the meaning of 0).
	Writes int
	// Bytes is the most bytes of new entries, superseded ones included; 0: no limit
	// but the quota.
	Bytes uint64
}

// Overlay is the writes of one invocation: new entries stand in the arena already
// and are found through the overlay's own small table; Commit links them all,
// Discard frees them. What is read through it stays valid and unchanged from
// Begin to the end, whatever is written over it. A shard has one.
type Overlay struct {
	s      *Shard
	active bool
	now    int64
	limits OverlayLimits
	bytes  uint64

	items   []overlayItem
	slots   []uint16 // open addressing over items; item number + 1
	dropped []uint32 // entries of this overlay that it has written over
}

type overlayItem struct {
	hash    uint64
	at      slot // once linked into a slot of its own
	ref     uint32
	deleted bool // ref is an entry that holds the key; its value does not count
	lent    bool // somebody has seen the entry's bytes, so they must stay
	fresh   bool // Commit has linked it as a key that the table did not have
}

// Overlay returns the shard's overlay.
func (s *Shard) Overlay() *Overlay { return &s.overlay }

// Begin starts an invocation at time now. One that was not ended is discarded.
func (o *Overlay) Begin(now int64, l OverlayLimits) {
	o.s.owner.Check()
	if o.active {
		o.Discard()
	}
	if l.Writes <= 0 || l.Writes > MaxOverlayWrites {
		l.Writes = MaxOverlayWrites
	}
	o.active, o.now, o.limits, o.bytes = true, now, l, 0
}

// Empty tells whether nothing has been written: reads then go straight to the table.
func (o *Overlay) Empty() bool { return len(o.items) == 0 }

// Writes is the number of keys written, Bytes the size of all entries made for them.
func (o *Overlay) Writes() int   { return len(o.items) }
func (o *Overlay) Bytes() uint64 { return o.bytes }

// lookup returns the number of the item that writes k, -1 for none.
func (o *Overlay) lookup(h uint64, k Key) int {
	if len(o.items) == 0 {
		return -1
	}
	mask := uint64(len(o.slots) - 1)
	for i := h & mask; o.slots[i] != 0; i = (i + 1) & mask {
		n := int(o.slots[i]) - 1
		if o.items[n].hash != h {
			continue
		}
		if e := o.s.entry(o.items[n].ref); e != nil && e.is(k) {
			return n
		}
	}
	return -1
}

// covers tells whether the overlay writes k.
func (o *Overlay) covers(k Key) bool {
	return len(o.items) != 0 && o.lookup(o.s.Hash(k), k) >= 0
}

// Get returns what k holds for this invocation.
func (o *Overlay) Get(k Key) (Entry, Result) {
	if len(o.items) == 0 {
		return o.s.Get(k, o.now)
	}
	h := o.s.Hash(k)
	n := o.lookup(h, k)
	if n >= 0 {
		o.items[n].lent = true
	}
	return o.get(h, n, k)
}

func (o *Overlay) get(h uint64, n int, k Key) (Entry, Result) {
	if n < 0 {
		return o.s.GetHashed(h, k, o.now)
	}
	e := o.s.entry(o.items[n].ref)
	switch {
	case e == nil:
		return Entry{}, o.s.damaged()
	case o.items[n].deleted || e.expired(o.now):
		return Entry{}, Missing
	}
	return e.out(), OK
}

// find is get with the hash and the item kept for a write that follows.
func (o *Overlay) find(k Key) (h uint64, n int, e Entry, r Result) {
	h = o.s.Hash(k)
	n = o.lookup(h, k)
	e, r = o.get(h, n, k)
	return h, n, e, r
}

// write makes a new entry and puts it in the place of item n, or as a new item. One
// that nobody has seen is written over where it stands: a counter that a loop
// raises takes one block.
func (o *Overlay) write(h uint64, n int, k Key, v []byte, expire int64, deleted bool) (uint64, Result) {
	o.s.owner.Check()
	size := entrySize(k, uint32(len(v)))
	if n >= 0 && !o.items[n].lent && o.s.a.Fits(o.items[n].ref, size) {
		o.s.version++
		o.items[n].deleted = deleted
		start := o.items[n].ref + layout.EntryHeaderSize + keyRoom(k)
		copy(o.s.mem[start:], v) // before the header: v may lie in this entry
		o.s.writeHead(o.items[n].ref, k, uint32(len(v)), o.s.version, expire)
		return o.s.version, OK
	}
	if n < 0 && len(o.items) >= o.limits.Writes || o.limits.Bytes != 0 && o.bytes+uint64(size) > o.limits.Bytes {
		return 0, Limit
	}
	ref, ok := o.s.a.Alloc(size)
	if !ok && deleted { // who is full must be able to make room
		ref, ok = o.s.a.AllocReserved(size)
	}
	if !ok {
		o.s.starved = true
		return 0, Full
	}
	o.s.version++
	o.s.writeHead(ref, k, uint32(len(v)), o.s.version, expire)
	copy(o.s.mem[ref+layout.EntryHeaderSize+keyRoom(k):], v)
	o.bytes += uint64(size)
	if n >= 0 {
		o.dropped = append(o.dropped, o.items[n].ref)
		o.items[n].ref, o.items[n].deleted, o.items[n].lent = ref, deleted, false
		return o.s.version, OK
	}
	o.items = append(o.items, overlayItem{hash: h, ref: ref, deleted: deleted})
	o.index(len(o.items) - 1)
	return o.s.version, OK
}

// index puts item n into the table, which is kept at most half full.
func (o *Overlay) index(n int) {
	if 2*len(o.items) > len(o.slots) {
		size := 16
		for size < 4*len(o.items) {
			size *= 2
		}
		o.slots = make([]uint16, size)
		for i := range o.items {
			o.place(i)
		}
		return
	}
	o.place(n)
}

func (o *Overlay) place(n int) {
	mask := uint64(len(o.slots) - 1)
	i := o.items[n].hash & mask
	for o.slots[i] != 0 {
		i = (i + 1) & mask
	}
	o.slots[i] = uint16(n + 1)
}

// Set is Shard.Set within the invocation, with Limit besides.
func (o *Overlay) Set(k Key, v []byte, so SetOptions) (uint64, Result) {
	if !k.Valid() || len(v) > MaxValueSize {
		return 0, TooLarge
	}
	h, n, old, r := o.find(k)
	if r == Corrupt {
		return 0, r
	}
	if so.HasIfVersion && so.IfVersion != old.Version {
		return old.Version, Conflict
	}
	expire := so.ExpireMillis
	if so.KeepExpire {
		expire = old.ExpireMillis
	}
	return o.write(h, n, k, v, expire, false)
}

// Delete is Shard.Delete within the invocation.
func (o *Overlay) Delete(k Key, ifVersion uint64, hasIf bool) (uint64, Result) {
	h, n, old, r := o.find(k)
	if r != OK {
		return 0, r
	}
	if hasIf && ifVersion != old.Version {
		return old.Version, Conflict
	}
	if n >= 0 { // its entry holds the key already: this needs no room
		o.s.owner.Check()
		o.items[n].deleted = true
		return old.Version, OK
	}
	if _, r := o.write(h, n, k, nil, 0, true); r != OK {
		return 0, r
	}
	return old.Version, OK
}

// Incr is Shard.Incr within the invocation.
func (o *Overlay) Incr(k Key, delta int64) (int64, uint64, Result) {
	if !k.Valid() {
		return 0, 0, TooLarge
	}
	h, n, old, r := o.find(k)
	if r == Corrupt {
		return 0, 0, r
	}
	sum, r := plus(old, delta)
	if r != OK {
		return 0, 0, r
	}
	var text [20]byte
	version, r := o.write(h, n, k, strconv.AppendInt(text[:0], sum, 10), old.ExpireMillis, false)
	return sum, version, r
}

// Swap is Shard.Swap within the invocation.
func (o *Overlay) Swap(k Key, expected, next []byte) (uint64, Result) {
	h, n, old, r := o.find(k)
	if r != OK {
		return 0, r
	}
	if !bytes.Equal(old.Value, expected) {
		return old.Version, Conflict
	}
	if len(next) > MaxValueSize {
		return 0, TooLarge
	}
	return o.write(h, n, k, next, old.ExpireMillis, false)
}

// Expire is Shard.Expire within the invocation. The entry is written anew, so
// here its version changes.
func (o *Overlay) Expire(k Key, expireMillis int64) (uint64, Result) {
	h, n, old, r := o.find(k)
	if r != OK {
		return 0, r
	}
	return o.write(h, n, k, old.Value, expireMillis, false)
}

// Scan is Shard.Scan within the invocation: its own writes come instead of what
// they replace. visit must not write.
func (o *Overlay) Scan(from uint64, limit int, visit func(Key, Entry) bool) (uint64, Result) {
	if len(o.items) == 0 {
		return o.s.Scan(from, limit, o.now, visit)
	}
	return o.s.scan(from, limit, o.now, o, visit)
}

// walkLeaf calls see for the overlay's entries that belong to a leaf of the table.
func (o *Overlay) walkLeaf(index, mask uint64, see func(uint64, entry) bool) bool {
	for i := range o.items {
		it := &o.items[i]
		if it.deleted || it.hash&mask != index {
			continue
		}
		it.lent = true
		if e := o.s.entry(it.ref); e != nil && !see(overlayPlace+uint64(i), e) {
			return false
		}
	}
	return true
}

// Each calls visit for every key written, in the order of the first write to each.
func (o *Overlay) Each(visit func(k Key, e Entry, deleted bool)) {
	for i := range o.items {
		o.items[i].lent = true
		if e := o.s.entry(o.items[i].ref); e != nil {
			out := e.out()
			if o.items[i].deleted {
				out.Value = nil
			}
			visit(e.key(), out, o.items[i].deleted)
		}
	}
}

func (o *Overlay) freeDropped() {
	for _, ref := range o.dropped {
		if !o.s.a.Free(ref) {
			o.s.damaged()
		}
	}
}

// Discard drops every write and ends the invocation. Versions that were given
// are not given again.
func (o *Overlay) Discard() {
	o.s.owner.Check()
	for i := range o.items {
		if !o.s.a.Free(o.items[i].ref) {
			o.s.damaged()
		}
	}
	o.freeDropped()
	o.end()
}

// keepSlots is the largest table that an overlay keeps for the next invocation.
const keepSlots = 4 * MaxOverlayWrites

func (o *Overlay) end() {
	o.active = false
	if len(o.items) != 0 {
		clear(o.slots)
	}
	o.items = o.items[:0]
	o.dropped = o.dropped[:0]
	if cap(o.dropped) > keepSlots {
		o.dropped = nil
	}
	o.bytes = 0
}
