package store

import (
	"encoding/binary"

	"shredder/store/layout"
)

// SetOptions are the conditions and terms of a write.
type SetOptions struct {
	// ExpireMillis is when the entry expires, unix ms; 0: never.
	ExpireMillis int64
	// IfVersion must be the key's version if HasIfVersion; 0 means absent.
	IfVersion    uint64
	HasIfVersion bool
	// KeepExpire keeps the expiry that the key has instead of ExpireMillis.
	KeepExpire bool
}

// Set makes k hold a copy of v and returns the new version. With Conflict it
// returns the current one, 0 for absent. Full and TooLarge leave things as they were.
func (s *Shard) Set(k Key, v []byte, o SetOptions, now int64) (uint64, Result) {
	if !k.Valid() || len(v) > MaxValueSize {
		return 0, TooLarge
	}
	s.owner.Check()
	return s.set(s.Hash(k), k, v, o, now)
}

// SetAt is Set without options for a hash and a spot at hand. An integer key's value
// of the same length, which most writes bring, is written over where it stands.
func (s *Shard) SetAt(at Spot, h uint64, k Key, v []byte, now int64) (uint64, Result) {
	s.owner.Check()
	e, lengths := s.spotted(at, k)
	if e == nil || lengths&0xffffffff != uint64(len(v)) {
		if !k.Valid() || len(v) > MaxValueSize {
			return 0, TooLarge
		}
		return s.set(h, k, v, SetOptions{}, now)
	}
	start := uint64(uint32(at)) + intEntrySize
	if start+uint64(len(v)) > uint64(len(s.mem)) {
		return 0, s.damaged()
	}
	s.version++
	if binary.LittleEndian.Uint64(e[layout.OffEntryExpire:]) != 0 {
		s.expiring--
		binary.LittleEndian.PutUint64(e[layout.OffEntryExpire:], 0)
	}
	binary.LittleEndian.PutUint64(e[layout.OffEntryVersion:], s.version)
	copy(s.mem[start:], v)
	binary.LittleEndian.PutUint64(s.mem[layout.OffVersion:], s.version)
	return s.version, OK
}

// set is Set with the key's hash, for what has been checked.
func (s *Shard) set(h uint64, k Key, v []byte, o SetOptions, now int64) (uint64, Result) {
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
	// A value of the same length needs no look at the allocator's books.
	if r == OK && (len(v) == len(e.value()) || s.a.Fits(at.ref, entrySize(k, uint32(len(v))))) {
		return s.overwrite(at.ref, e, v, expire), OK
	}
	ref, ok := s.a.Alloc(entrySize(k, uint32(len(v))))
	if !ok {
		if s.makeRoom(entrySize(k, uint32(len(v))), k, v) {
			return s.set(h, k, v, o, now)
		}
		return 0, Full
	}
	s.writeHead(ref, k, uint32(len(v)), s.version+1, expire)
	start := ref + layout.EntryHeaderSize + keyRoom(k)
	copy(s.mem[start:], v)
	if r := s.link(h, at, r == OK, ref, false); r != OK {
		s.a.Free(ref)
		return 0, r
	}
	s.version++
	s.grow()
	s.publish()
	return s.version, OK
}

// current is what a found entry holds now: nothing if it has expired.
func current(e entry, r Result, now int64) Entry {
	if r != OK || e.expired(now) {
		return Entry{}
	}
	return e.out()
}

// overwrite writes v over an entry whose block is of just the right class.
func (s *Shard) overwrite(ref uint32, e entry, v []byte, expire int64) uint64 {
	off := uint32(e.valueOff())
	s.valueSize += uint64(len(v)) - uint64(len(e.value()))
	s.countExpiry(e.expire(), expire)
	s.version++
	h := s.mem[ref:]
	binary.LittleEndian.PutUint64(h[layout.OffEntryVersion:], s.version)
	binary.LittleEndian.PutUint32(h[layout.OffEntryValueLen:], uint32(len(v)))
	e.setExpire(expire)
	copy(h[off:], v)
	s.publish()
	return s.version
}

func (s *Shard) countExpiry(before, after int64) {
	if before != 0 {
		s.expiring--
	}
	if after != 0 {
		s.expiring++
	}
}

// link makes the table hold the entry at ref: in the slot of the entry that it
// replaces, which is freed, or in a new one.
func (s *Shard) link(h uint64, at slot, found bool, ref uint32, reserved bool) Result {
	e := s.entry(ref)
	if e == nil {
		return s.damaged()
	}
	if found {
		old := s.entry(at.ref)
		if old == nil {
			return s.damaged()
		}
		expire, size := old.expire(), len(old)
		if !s.a.Free(at.ref) || s.count == 0 {
			return s.damaged()
		}
		s.forget(expire, size)
		binary.LittleEndian.PutUint32(s.bucket(at.bucket)[layout.OffRefs+4*at.at:], ref)
	} else if _, r := s.insert(s.bucketRef(s.bucketOf(h)), tagOf(h), ref, reserved); r != OK {
		return r
	}
	s.remember(e)
	return OK
}

// remember takes an entry into the counts.
func (s *Shard) remember(e entry) {
	s.count++
	s.valueSize += uint64(len(e) - layout.EntryHeaderSize)
	s.countExpiry(0, e.expire())
}

// forget takes an entry out of the counts.
func (s *Shard) forget(expire int64, size int) {
	s.moved++
	s.count--
	s.valueSize -= uint64(size - layout.EntryHeaderSize)
	s.countExpiry(expire, 0)
}

// remove unlinks and frees the entry in a slot. The caller trims the chain.
func (s *Shard) remove(at slot, e entry) Result {
	expire, size := e.expire(), len(e)
	if !s.a.Free(at.ref) || s.count == 0 {
		return s.damaged()
	}
	s.erase(at)
	s.forget(expire, size)
	return OK
}

// removeHashed is remove with the chain trimmed.
func (s *Shard) removeHashed(h uint64, at slot, e entry) Result {
	r := s.remove(at, e)
	if head := s.bucketRef(s.bucketOf(h)); r == OK && at.bucket != head {
		return s.trim(head)
	}
	return r
}

// Delete removes k and returns the version that it had. With hasIf it does so
// only at version ifVersion; Conflict returns the current one.
func (s *Shard) Delete(k Key, ifVersion uint64, hasIf bool, now int64) (uint64, Result) {
	s.owner.Check()
	h := s.Hash(k)
	at, e, r := s.find(h, k)
	if r == Corrupt {
		return 0, r
	}
	old := current(e, r, now)
	if hasIf && ifVersion != old.Version && old.Version != 0 {
		return old.Version, Conflict
	}
	if r == OK {
		if r := s.removeHashed(h, at, e); r != OK {
			return 0, r
		}
		s.publish()
	}
	if old.Version == 0 {
		return 0, Missing
	}
	return old.Version, OK
}

// Expire sets when k expires (unix ms, 0: never). The value and its version stay.
func (s *Shard) Expire(k Key, expireMillis, now int64) (uint64, Result) {
	s.owner.Check()
	_, e, r := s.find(s.Hash(k), k)
	if r == Corrupt {
		return 0, r
	}
	old := current(e, r, now)
	if old.Version == 0 {
		return 0, Missing
	}
	s.countExpiry(e.expire(), expireMillis)
	e.setExpire(expireMillis)
	return old.Version, OK
}
