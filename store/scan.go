package store

import (
	"encoding/binary"
	"math/bits"

	"shredder/store/layout"
)

// A scan's cursor names a leaf of the trie that linear hashing makes of reversed
// hashes, and a place in that leaf's chain. Leaves are visited in the order of
// reversed bits (Redis' dictScan, after Pieter Noordhuis): growth only divides
// leaves, so a boundary between two stays one, and every key present throughout is
// seen. A place in a chain counts only while its leaf has not been divided.
const (
	cursorIndexBits = 26
	cursorPlaceBits = 11

	// overlayPlace is the place of an overlay's first write, behind every slot of a chain.
	overlayPlace = layout.MaxChain * layout.BucketSlots
)

type cursor struct {
	index uint64 // low bits of the hash
	place uint64
	level uint64 // bits of index that count, if place is not 0
}

func unpackCursor(c uint64) cursor {
	return cursor{
		index: c & (1<<cursorIndexBits - 1),
		place: c >> cursorIndexBits & (1<<cursorPlaceBits - 1),
		level: c >> (cursorIndexBits + cursorPlaceBits),
	}
}

func (c cursor) pack() uint64 {
	return c.index | c.place<<cursorIndexBits | c.level<<(cursorIndexBits+cursorPlaceBits)
}

// leaf is the mask of the bucket that index falls in.
func (s *Shard) leaf(index uint64) uint64 {
	if index&s.mask < s.split {
		return 2*s.mask + 1
	}
	return s.mask
}

// next is the index of the leaf after the one with mask m, 0 at the end.
func nextLeaf(index, m uint64) uint64 {
	index |= ^m
	return bits.Reverse64(bits.Reverse64(index) + 1)
}

// Scan calls visit for the entries that have not expired, from cursor on (0
// starts), until limit have been visited or visit returns false, and returns the
// cursor to go on with, 0 at the end. Every key present from the first call to
// the last is visited at least once; one may be visited twice. An entry for which
// visit returned false is visited again. visit must not change the shard. The work
// of one call is bounded by limit, so where much is empty or expired it may visit none.
// Cursors are below 2^53.
func (s *Shard) Scan(from uint64, limit int, now int64, visit func(Key, Entry) bool) (uint64, Result) {
	return s.scan(from, limit, now, nil, visit)
}

// scan is Scan with an overlay whose entries come instead of the table's.
func (s *Shard) scan(from uint64, limit int, now int64, o *Overlay, visit func(Key, Entry) bool) (uint64, Result) {
	s.owner.Check()
	c := unpackCursor(from)
	if limit < 1 {
		limit = 1
	}
	visited, work := 0, 0
	for {
		m := s.leaf(c.index)
		level := uint64(bits.Len64(m))
		if c.place != 0 && c.level != level {
			c.place = 0
		}
		stop := uint64(0)
		see := func(place uint64, e entry) bool {
			work += 4 // an expired entry costs up to four times what an empty bucket does
			if place < c.place || e.expired(now) {
				return true
			}
			if visited == limit || !visit(e.key(), e.out()) {
				stop = place
				return false
			}
			visited++
			return true
		}
		done, r := s.walk(s.bucketRef(c.index&m), o, see)
		if r != OK {
			return 0, r
		}
		if done && o != nil {
			work += len(o.items) / 8 // each leaf looks at all of them
			work += len(o.items) / 8 // all of them are looked at
			done = o.walkLeaf(c.index&m, m, see)
		}
		if !done {
			return cursor{index: c.index & m, place: stop, level: level}.pack(), OK
		}
		c = cursor{index: nextLeaf(c.index&m, m)}
		if c.index == 0 {
			return 0, OK
		}
		if work++; visited >= limit || work >= 5*limit+64 {
			return c.pack(), OK
		}
	}
}

// walk calls see for a chain's entries in order, leaving out those that o replaces,
// until it returns false.
func (s *Shard) walk(ref uint32, o *Overlay, see func(uint64, entry) bool) (done bool, r Result) {
	for n := range uint64(layout.MaxChain) {
		b := s.bucket(ref)
		if b == nil {
			return false, s.damaged()
		}
		for i := range layout.BucketSlots {
			if binary.LittleEndian.Uint16(b[layout.OffTags+2*i:]) == 0 {
				continue
			}
			e := s.entry(binary.LittleEndian.Uint32(b[layout.OffRefs+4*i:]))
			if e == nil {
				return false, s.damaged()
			}
			if o != nil && o.covers(e.key()) {
				continue
			}
			if !see(n*layout.BucketSlots+uint64(i), e) {
				return false, OK
			}
		}
		if ref = binary.LittleEndian.Uint32(b[layout.OffOverflow:]); ref == 0 {
			return true, OK
		}
	}
	return false, s.damaged()
}
