package store

import (
	"shredder/store/arena"
	"shredder/store/layout"
)

// Block is room for a value that arrives in parts and is linked when it is whole:
// segments are written straight to where the value will stay.
type Block struct {
	mem    []byte
	lead   arena.Ref
	serial uint64 // 0: no block
}

// Bytes is the value's room. It belongs to whoever reserved it until SetBlock or Release.
func (b Block) Bytes() []byte { return b.mem }

// Reserve takes room for a value of size bytes, charged to the quota.
func (s *Shard) Reserve(size uint32) (Block, Result) {
	if size > MaxValueSize {
		return Block{}, TooLarge
	}
	s.owner.Check()
	ref, serial, ok := s.a.AllocLed(size)
	if !ok {
		s.starved = true // Maintain will see to it
		return Block{}, Full
	}
	start := ref + arena.MaxLead
	return Block{mem: s.mem[start : start+size : start+size], lead: ref, serial: serial}, OK
}

// Holds tells whether b is still its reserver's: not linked, released or flushed away.
func (s *Shard) Holds(b Block) bool { return s.a.Holds(b.lead, b.serial) }

// Release gives a block back unused. One that the shard no longer Holds is ignored.
func (s *Shard) Release(b Block) {
	if s.Holds(b) {
		s.a.Settle(b.lead)
		s.a.Free(b.lead)
	}
}

// tightMax is the longest value that SetBlock copies out of its block if it can. The
// lead and whole pages waste 4 KiB on average, which is half of what a value of 4 KiB
// takes and nothing to one of 64 KiB; the copy costs some microseconds.
const tightMax = 32 << 10

// SetBlock is Set with the value in b, which is not copied if it is long. Only with OK
// does the block pass to the table; else it is still the caller's. Missing: the shard
// no longer Holds it.
func (s *Shard) SetBlock(k Key, b Block, o SetOptions, now int64) (uint64, Result) {
	if !k.Valid() {
		return 0, TooLarge
	}
	if !s.Holds(b) {
		return 0, Missing
	}
	if len(b.mem) <= tightMax {
		version, r := s.Set(k, b.mem, o, now)
		if r == OK {
			s.Release(b)
		}
		if r != Full { // Full: where it lies it has room
			return version, r
		}
	}
	h := s.Hash(k)
	at, e, r := s.find(h, k)
	if r == Corrupt {
		return 0, r
	}
	old := current(e, r, now)
	if o.HasIfVersion && o.IfVersion != old.Version {
		return old.Version, Conflict
	}
	expire := o.ExpireMillis
	if o.KeepExpire {
		expire = old.ExpireMillis
	}
	ref := b.lead + arena.MaxLead - keyRoom(k) - layout.EntryHeaderSize
	s.writeHead(ref, k, uint32(len(b.mem)), s.version+1, expire)
	if r := s.link(h, at, r == OK, ref, false); r != OK {
		return 0, r
	}
	s.a.Settle(b.lead)
	s.version++
	s.grow()
	s.publish()
	return s.version, OK
}
