package store

import (
	"encoding/binary"
	"math/bits"

	"shredder/store/layout"
)

// Spot is where FindSpot has seen the tag of a key's hash: the ref of an entry,
// below the count of what had been unlinked or moved by then.
type Spot uint64

// NoSpot is what FindSpot gives when it has seen none.
const NoSpot Spot = 0

// spotted returns header and key of the entry at a spot, and the word that has its
// lengths and flags, if the entry is still linked and k, an integer, is its key.
func (s *Shard) spotted(at Spot, k Key) (*[intEntrySize]byte, uint64) {
	ref, mem := uint64(uint32(at)), s.mem
	if k.Bytes != nil || uint32(at>>32) != uint32(s.moved) || ref-layout.HeaderSize > uint64(len(mem))-layout.HeaderSize-intEntrySize {
		return nil, 0
	}
	e := (*[intEntrySize]byte)(mem[ref:])
	lengths := binary.LittleEndian.Uint64(e[layout.OffEntryValueLen:])
	if binary.LittleEndian.Uint64(e[layout.OffEntryKey:]) != k.Int || lengths>>48&layout.FlagIntKey == 0 {
		return nil, 0
	}
	return e, lengths
}

// GetAt is Get with the key's hash and its spot at hand.
func (s *Shard) GetAt(at Spot, h uint64, k Key, now int64) (Entry, Result) {
	s.owner.Check()
	e, lengths := s.spotted(at, k)
	start := uint64(uint32(at)) + intEntrySize
	end := start + lengths&0xffffffff
	if e == nil || end > uint64(len(s.mem)) {
		return s.GetHashed(h, k, now)
	}
	expire := int64(binary.LittleEndian.Uint64(e[layout.OffEntryExpire:]))
	if expire != 0 && expire <= now {
		return Entry{}, Missing
	}
	return Entry{
		Value:        s.mem[start:end:end],
		Version:      binary.LittleEndian.Uint64(e[layout.OffEntryVersion:]),
		ExpireMillis: expire,
	}, OK
}

// Get returns what k holds at time now (unix ms), or Missing. The value is
// borrowed until the shard's next mutation.
func (s *Shard) Get(k Key, now int64) (Entry, Result) { return s.GetHashed(s.Hash(k), k, now) }

// GetHashed is Get with the key's hash at hand.
func (s *Shard) GetHashed(h uint64, k Key, now int64) (Entry, Result) {
	s.owner.Check()
	if k.Bytes == nil {
		if e, r := s.getInt(h, k.Int, now); r != tryChain {
			return e, r
		}
	}
	_, e, r := s.find(h, k)
	if r != OK {
		return Entry{}, r
	}
	if e.expired(now) {
		return Entry{}, Missing
	}
	return e.out(), OK
}

// tryChain: the chain goes on, or something looks odd. find decides.
const tryChain Result = 0xff

// intEntrySize is the size of an integer key's entry without its value.
const intEntrySize = layout.EntryHeaderSize + 8

// getInt looks for an integer key in the first bucket of its chain. It reads one
// line of the bucket and one of the entry, and leaves all that is rare to find.
func (s *Shard) getInt(h, n uint64, now int64) (Entry, Result) {
	ref := uint64(s.bucketRef(s.bucketOf(h)))
	mem := s.mem
	if ref+layout.BucketSize > uint64(len(mem)) {
		return Entry{}, tryChain
	}
	b := (*[layout.BucketSize]byte)(mem[ref:])
	tag := uint64(tagOf(h))
	m := matchTags(binary.LittleEndian.Uint64(b[layout.OffTags:]), tag)
	for base := 0; ; base = layout.BucketSlots / 2 {
		for ; m != 0; m &= m - 1 {
			i := (base + bits.TrailingZeros64(m)/16) % layout.BucketSlots
			at := uint64(binary.LittleEndian.Uint32(b[layout.OffRefs+4*i:]))
			if at+intEntrySize > uint64(len(mem)) {
				return Entry{}, tryChain
			}
			e := (*[intEntrySize]byte)(mem[at:])
			lengths := binary.LittleEndian.Uint64(e[layout.OffEntryValueLen:])
			if binary.LittleEndian.Uint64(e[layout.OffEntryKey:]) != n || lengths>>48&layout.FlagIntKey == 0 {
				continue
			}
			start := at + intEntrySize
			end := start + lengths&0xffffffff
			if end > uint64(len(mem)) {
				return Entry{}, tryChain
			}
			expire := int64(binary.LittleEndian.Uint64(e[layout.OffEntryExpire:]))
			if expire != 0 && expire <= now {
				return Entry{}, Missing
			}
			return Entry{
				Value:        mem[start:end:end],
				Version:      binary.LittleEndian.Uint64(e[layout.OffEntryVersion:]),
				ExpireMillis: expire,
			}, OK
		}
		if base != 0 {
			break
		}
		m = matchTags(binary.LittleEndian.Uint64(b[layout.OffTags+8:]), tag)
	}
	if binary.LittleEndian.Uint32(b[layout.OffOverflow:]) == 0 {
		return Entry{}, Missing
	}
	return Entry{}, tryChain
}
