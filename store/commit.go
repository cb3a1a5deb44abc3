package store

import (
	"encoding/binary"

	"shredder/store/layout"
)

// Commit applies every write at once and ends the invocation. Values are not
// copied. If a chain could not be made longer the result is Full and nothing has
// been applied (the slack beyond the quota makes that all but impossible);
// with Corrupt the shard is not to be used further.
func (o *Overlay) Commit() Result {
	s := o.s
	s.owner.Check()
	if len(o.items) == 0 {
		o.end()
		return OK
	}
	s.bumpCommitSeq()
	result := o.linkFresh()
	if result == OK {
		result = o.replaceRest()
	} else {
		o.unlinkFresh()
	}
	s.bumpCommitSeq()
	if result == Full {
		s.starved = true
		o.Discard()
		return Full
	}
	o.freeDropped()
	for range len(o.items) {
		if !s.grow() {
			break
		}
	}
	s.publish()
	o.end()
	return result
}

// bumpCommitSeq makes the commit sequence word odd, then even again.
func (s *Shard) bumpCommitSeq() {
	seq := s.mem[layout.OffCommitSeq : layout.OffCommitSeq+8]
	binary.LittleEndian.PutUint64(seq, binary.LittleEndian.Uint64(seq)+1)
}

// linkFresh links the keys that the table does not have. Only these can need room,
// so they come first, while all can still be taken back.
func (o *Overlay) linkFresh() Result {
	s := o.s
	for i := range o.items {
		it := &o.items[i]
		if it.deleted {
			continue
		}
		e := s.entry(it.ref)
		if e == nil {
			return s.damaged()
		}
		at, _, r := s.find(it.hash, e.key())
		if r == OK {
			it.at = at
			continue
		}
		if r != Missing {
			return r
		}
		if it.at, r = s.insert(s.bucketRef(s.bucketOf(it.hash)), tagOf(it.hash), it.ref, true); r != OK {
			return r
		}
		it.fresh = true
		s.remember(e)
	}
	return OK
}

// unlinkFresh takes back what linkFresh has done.
func (o *Overlay) unlinkFresh() {
	for i := range o.items {
		it := &o.items[i]
		if !it.fresh {
			continue
		}
		o.s.erase(it.at)
		if e := o.s.entry(it.ref); e != nil && o.s.count > 0 {
			o.s.forget(e.expire(), len(e))
		}
		it.fresh = false
	}
}

// replaceRest puts new entries in the place of old ones, and removes what is deleted.
// It needs no room: only damage can stop it.
func (o *Overlay) replaceRest() Result {
	s := o.s
	for i := range o.items {
		it := &o.items[i]
		if it.fresh {
			continue
		}
		if !it.deleted {
			if r := s.link(it.hash, it.at, true, it.ref, true); r != OK {
				return r
			}
			continue
		}
		e := s.entry(it.ref)
		if e == nil {
			return s.damaged()
		}
		at, old, r := s.find(it.hash, e.key())
		if r == Corrupt {
			return r
		}
		if !s.a.Free(it.ref) {
			return s.damaged()
		}
		if r != OK {
			continue
		}
		if r := s.removeHashed(it.hash, at, old); r != OK {
			return r
		}
	}
	return OK
}
