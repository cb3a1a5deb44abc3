package store

import (
	"encoding/binary"
	"errors"

	"shredder/store/layout"
)

// ErrBudget is given by Open when the process's budget has no page left.
var ErrBudget = errors.New("store: the memory budget of all tenants is used up")

// Maintain does up to steps steps of what can wait: splitting buckets, removing
// expired entries, giving freed pages back to the kernel. It reports whether there is
// more. It must not run while an invocation of the tenant is under way.
func (s *Shard) Maintain(now int64, steps int) bool {
	if s.corrupt {
		return false
	}
	for ; steps > 0 && s.grow(); steps-- {
		s.publish()
	}
	if s.expiring > 0 {
		for ; steps > 0; steps-- {
			s.sweepBucket(now)
		}
	}
	more := s.a.Release(max(steps, 1) * 16)
	return more || s.count >= s.buckets()*loadSlots && s.buckets() < s.indexMax && s.a.Usage().Used+layout.PageSize < s.a.Usage().Quota
}

// sweepBucket removes the expired entries of the next bucket.
func (s *Shard) sweepBucket(now int64) {
	if s.sweepAt >= s.buckets() {
		s.sweepAt = 0
	}
	ref := s.bucketRef(s.sweepAt)
	s.sweepAt++
	for range layout.MaxChain {
		b := s.bucket(ref)
		if b == nil {
			s.damaged()
			return
		}
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
			s.publish()
			return
		}
	}
	s.damaged()
}

// Flush removes everything and repairs what damage there was. The version counter
// goes on. Blocks that were reserved are gone: their owners must forget them first.
func (s *Shard) Flush() {
	s.overlay.items, s.overlay.dropped = s.overlay.items[:0], s.overlay.dropped[:0]
	s.overlay.end()
	clear(s.overlay.slots)
	s.a.Reset()
	s.mask, s.split, s.count, s.valueSize, s.expiring, s.sweepAt = initialMask, 0, 0, 0, 0, 0
	s.indexPages = 1
	s.corrupt = false
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

// Close unmaps the arena. The home lcore must have let go of the shard.
func (s *Shard) Close() error {
	s.mem = nil
	return s.a.Close()
}
