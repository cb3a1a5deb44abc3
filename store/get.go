package store

import (
	"encoding/binary"
	"math/bits"

	"shredder/store/layout"
)

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
