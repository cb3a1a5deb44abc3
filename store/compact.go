package store

import (
	"encoding/binary"

	"shredder/store/arena"
	"shredder/store/layout"
)

// What a write that finds no room does about it before it gives up: some 100 µs of
// looking and moving at most. Maintain goes on from there.
const (
	needRuns     = 8     // emptied
	needLook     = 4_096 // pages and runs looked at for each
	maintainLook = 256
)

// makeRoom tries to find room for a block of size bytes that the allocator has just
// refused, and reports whether it is there now. Slots and refs that the caller has are void
// then. Nothing moves if key or value, which the caller still has to read, lie in the arena.
func (s *Shard) makeRoom(size uint32, k Key, v []byte) bool {
	s.starved = true
	if within(s.mem, v) || within(s.mem, k.Bytes) {
		return false
	}
	for range needRuns {
		if !s.compact(needLook) {
			return false
		}
		if ref, ok := s.a.Alloc(size); ok {
			return s.a.Free(ref)
		}
	}
	return false
}

// compact empties one run of blocks that deletions have thinned out, if it finds
// one among the next look, and reports whether it did. It changes entries' refs and no more; no
// invocation may be under way.
func (s *Shard) compact(look int) bool {
	if s.corrupt {
		return false
	}
	if !s.a.Wasteful(s.starved) {
		s.starved = false
		return false
	}
	run, ok := s.a.Sparse(look, s.starved)
	if !ok {
		return false
	}
	s.moved++
	var room [arena.MaxSlots]arena.Ref
	for _, ref := range s.a.Blocks(run, &room) {
		name := s.nameOf(ref)
		if name == nil {
			continue
		}
		twin, ok := s.a.Twin(ref)
		if !ok {
			break
		}
		binary.LittleEndian.PutUint32(name, twin)
		if !s.a.Free(ref) {
			s.damaged()
			break
		}
	}
	return s.a.Vacated(run)
}

// nameOf returns the word of the table that holds ref: a slot's, or the overflow word of
// a bucket; nil if there is none. Whether a block is an entry or a bucket only the
// table can say: an entry is found under its key, a bucket in its keys' chain.
func (s *Shard) nameOf(ref uint32) []byte {
	if e := s.entry(ref); e != nil {
		if at, _, r := s.find(s.Hash(e.key()), e.key()); r == OK && at.ref == ref {
			return s.bucket(at.bucket)[layout.OffRefs+4*at.at:][:4]
		}
	}
	b := s.bucket(ref)
	if b == nil {
		return nil
	}
	for i := range layout.BucketSlots {
		if binary.LittleEndian.Uint16(b[layout.OffTags+2*i:]) == 0 {
			continue
		}
		e := s.entry(binary.LittleEndian.Uint32(b[layout.OffRefs+4*i:]))
		if e == nil {
			return nil
		}
		return s.linkTo(s.bucketRef(s.bucketOf(s.Hash(e.key()))), ref)
	}
	return nil // an empty bucket within a chain: it stays until the chain is trimmed or split
}

// linkTo returns the overflow word that holds ref in the chain that begins at head.
func (s *Shard) linkTo(head, ref uint32) []byte {
	for range layout.MaxChain {
		b := s.bucket(head)
		if b == nil {
			return nil
		}
		word := b[layout.OffOverflow:][:4]
		if head = binary.LittleEndian.Uint32(word); head == ref {
			return word
		} else if head == 0 {
			return nil
		}
	}
	return nil
}
