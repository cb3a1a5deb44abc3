package store

import (
	"encoding/binary"

	"shredder/store/arena"
	"shredder/store/layout"
)

// ErrBudget is given by Open when the process's budget has no page left.
var ErrBudget = arena.ErrBudget

// Maintain does up to steps steps of what can wait: splitting buckets, removing
// expired entries, emptying a run of blocks that deletions have thinned out, giving freed
// pages back to the kernel. It reports whether there is more to split, to empty or to give back; the sweep for expired entries goes round and round and
// never asks to be called sooner. It must not run while an invocation of the tenant is under way.
func (s *Shard) Maintain(now int64, steps int) bool {
	if s.corrupt {
		return false
	}
	s.owner.Check()
	more := true
	for ; steps > 0 && more; steps-- {
		more = s.grow()
	}
	s.publish()
	if s.expiring > 0 {
		for ; steps > 0; steps-- {
			s.sweepBucket(now)
		}
	}
	more = s.compact(maintainLook) || more
	return s.a.Release(max(steps, 1)*16) || more
}

// sweepBucket removes the expired entries of the next bucket.
func (s *Shard) sweepBucket(now int64) {
	if s.sweepAt >= s.buckets() {
		s.sweepAt = 0
	}
	head := s.bucketRef(s.sweepAt)
	ref, last := head, head
	s.sweepAt++
	for range layout.MaxChain {
		b := s.bucket(ref)
		if b == nil {
			s.damaged()
			return
		}
		last = ref
		for i := range uint32(layout.BucketSlots) {
			if binary.LittleEndian.Uint16(b[layout.OffTags+2*i:]) == 0 {
				continue
			}
			at := slot{bucket: ref, at: i, ref: binary.LittleEndian.Uint32(b[layout.OffRefs+4*i:])}
			e := s.entry(at.ref)
			if e == nil {
				s.damaged()
				return
			}
			if e.expired(now) && s.remove(at, e) != OK {
				return
			}
		}
		if ref = binary.LittleEndian.Uint32(b[layout.OffOverflow:]); ref == 0 {
			if head != last {
				s.trim(head)
			}
			s.publish()
			return
		}
	}
	s.damaged()
}

// Flush removes everything and repairs what damage there was. The version counter
// goes on. Blocks that were reserved are gone: the shard no longer Holds them, and
// nothing may be written to their bytes. Pages go back to the kernel in Maintain.
func (s *Shard) Flush() {
	s.owner.Check()
	s.overlay.end()
	s.a.Reset()
	s.moved++
	s.mask, s.split, s.count, s.valueSize, s.expiring, s.sweepAt = initialMask, 0, 0, 0, 0, 0
	s.index = layout.HeaderSize
	s.corrupt, s.starved = false, false
	clear(s.mem[s.index:s.bucketRef(initialMask+1)])
	s.begin()
}

// Stats is a shard's figures, in bytes but for Entries, Buckets and Blocks.
type Stats struct {
	Entries, Buckets, Blocks uint64
	Quota                    uint64
	Used                     uint64 // pages in use, index included
	Allocated                uint64 // blocks, at the size of their class
	Stored                   uint64 // keys and values
	Expiring                 uint64 // entries with an expiry
	Version                  uint64
	Corrupt                  bool
}

// Stats returns the shard's figures.
func (s *Shard) Stats() Stats {
	u := s.a.Usage()
	return Stats{
		Entries: s.count, Buckets: s.buckets(), Blocks: u.Blocks, Quota: u.Quota, Used: u.Used,
		Allocated: u.Allocated, Stored: s.valueSize, Expiring: s.expiring, Version: s.version, Corrupt: s.corrupt,
	}
}

// Len is the number of entries, expired ones that were not removed yet included.
func (s *Shard) Len() int { return int(s.count) }

// Version is the last version given.
func (s *Shard) Version() uint64 { return s.version }

// HandOver lets another thread become the shard's one user. Whoever had it must have
// let go, by a message that orders memory. Only builds with the tag "invariants" check.
func (s *Shard) HandOver() { s.owner.HandOver() }

// Close unmaps the arena. The home lcore must have let go of the shard.
func (s *Shard) Close() error {
	s.mem = nil
	return s.a.Close()
}
