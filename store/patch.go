package store

import "shredder/store/layout"

// Patch writes part into k's value from byte off on, keeping its expiry, and returns the
// value's size and its new version. A value that is too short is made longer with zeros
// before off, an absent one counts as empty. What fits the entry's block is written in place.
// part must not lie in the arena.
func (s *Shard) Patch(k Key, off int, part []byte, now int64) (int, uint64, Result) {
	if !k.Valid() || off < 0 || off > MaxValueSize || off+len(part) > MaxValueSize {
		return 0, 0, TooLarge
	}
	s.owner.Check()
	h := s.Hash(k)
	at, e, r := s.find(h, k)
	if r == Corrupt {
		return 0, 0, r
	}
	old := current(e, r, now)
	size := max(len(old.Value), off+len(part))
	room := entrySize(k, uint32(size))
	if r == OK && (size == len(e.value()) || s.a.Fits(at.ref, room)) {
		start := at.ref + uint32(e.valueOff())
		s.patch(start, len(old.Value), off, part)
		s.valueSize += uint64(size) - uint64(len(e.value()))
		s.countExpiry(e.expire(), old.ExpireMillis)
		s.version++
		s.writeHead(at.ref, k, uint32(size), s.version, old.ExpireMillis)
		s.publish()
		return size, s.version, OK
	}
	ref, ok := s.a.Alloc(room)
	if !ok {
		if s.makeRoom(room, k, part) {
			return s.Patch(k, off, part, now)
		}
		return 0, 0, Full
	}
	s.writeHead(ref, k, uint32(size), s.version+1, old.ExpireMillis)
	start := ref + layout.EntryHeaderSize + keyRoom(k)
	copy(s.mem[start:], old.Value)
	s.patch(start, len(old.Value), off, part)
	if r := s.link(h, at, r == OK, ref, false); r != OK {
		s.a.Free(ref)
		return 0, 0, r
	}
	s.version++
	s.grow()
	s.publish()
	return size, s.version, OK
}

// patch writes part off bytes behind start, and zeros between the value that stands
// there and part.
func (s *Shard) patch(start uint32, valueLen, off int, part []byte) {
	value := s.mem[start:]
	if off > valueLen {
		clear(value[valueLen:off])
	}
	copy(value[off:], part)
}
