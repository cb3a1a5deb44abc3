package arena

import "math/bits"

// Blocks never move by themselves, so runs that deletions have thinned out hold
// pages that no block of another class can have: half of the quota if every second
// key goes and larger values come. Sparse, Blocks and Vacated let the table, which
// knows who names a block, empty such runs into others of their class. (Mesh,
// Powers et al. 2019, does it without moving, by remapping pages; refs allow more.)

// census counts one class.
type census struct{ runs, live uint32 }

// spare is how many slots of a class are free.
func (a *Arena) spare(c int) uint32 { return a.census[c].runs*uint32(slotsOf[c]) - a.census[c].live }

// slotsOf is how many blocks a run of a class holds.
var slotsOf = func() (t [classCount]uint8) {
	for c, size := range classes {
		t[c] = uint8(min(uint32(runPages[c])*pageSize/uint32(size), MaxSlots))
	}
	return t
}()

// wasteful tells whether runs of a class are worth emptying. In need, one run's
// worth of free slots is enough; else a quarter of them, so that little is moved for much.
func (a *Arena) wasteful(c int, need bool) bool {
	spare, slots := a.spare(c), uint32(slotsOf[c])
	if need {
		return spare >= slots
	}
	return spare >= 2*slots && spare >= a.census[c].runs*slots/4
}

// Wasteful tells whether Sparse could find a run.
func (a *Arena) Wasteful(need bool) bool {
	if !need && (a.used-a.allocated)*8 < a.used {
		return false // most likely, and one line
	}
	for c := range classCount {
		if a.wasteful(c, need) {
			return true
		}
	}
	return false
}

// Sparse goes on with its rounds over the runs, looking at up to look pages or runs, for
// one whose blocks have room in the other runs of its class and are no more than the
// class's average and a quarter. Nothing is allocated in that run until Vacated. need says that
// memory is wanted now.
//
// Long blocks need pages in a row, so a round empties neighbours one after the other,
// from the highest page down, into the lowest runs that there are. Every other round, and
// when many runs have come to have room since, it moves nothing, but puts them in that order.
func (a *Arena) Sparse(look int, need bool) (at int32, ok bool) {
	if !a.ordering && a.unordered > 64+len(a.runs)/16 {
		a.hand, a.handZone = 0, 0
	}
	for ; look > 0; look-- {
		if a.hand == 0 {
			a.nextRound()
			continue
		}
		at := a.zones[a.handZone].owner[a.hand-1]
		if at < 0 {
			a.hand--
			continue
		}
		r := &a.runs[at]
		a.hand -= min(a.hand, r.pages)
		if r.class == largeClass || r.live == r.slots || !a.wasteful(int(r.class), need) {
			continue
		}
		c := a.census[r.class]
		emptied := !a.ordering && 4*uint64(r.live)*uint64(c.runs) <= 5*uint64(c.live)
		if !a.ordering && !emptied {
			continue
		}
		a.unlink(at)
		if emptied {
			a.vacating = at
			return at, true
		}
		a.link(at)
	}
	return 0, false
}

// nextRound moves the hand to the next zone's end. The upper zone comes first: it fills last.
func (a *Arena) nextRound() {
	if a.handZone == 0 {
		a.ordering = !a.ordering
		a.unordered = 0
	}
	a.handZone ^= 1
	a.hand = a.zones[a.handZone].high
}

// Blocks returns the refs of the blocks in use of a run that Sparse gave, in refs.
func (a *Arena) Blocks(at int32, refs *[MaxSlots]Ref) []Ref {
	r := &a.runs[at]
	n := 0
	for half, free := range r.free {
		for used := ^free; used != 0; used &= used - 1 {
			slot := half*64 + bits.TrailingZeros64(used)
			if slot >= int(r.slots) {
				break
			}
			refs[n] = r.start*pageSize + uint32(slot)*uint32(classes[r.class])
			n++
		}
	}
	return refs[:n]
}

// Twin returns a block of the size of the one at ref with a copy of its bytes.
func (a *Arena) Twin(ref Ref) (Ref, bool) {
	at, _, ok := a.locate(ref)
	if !ok || a.runs[at].class == largeClass {
		return 0, false
	}
	size := uint32(classes[a.runs[at].class])
	twin, ok := a.Alloc(size)
	if ok {
		copy(a.mem[twin:twin+size], a.mem[ref:ref+size])
	}
	return twin, ok
}

// Vacated ends what Sparse began. It reports whether the run is gone: blocks that
// nobody would move keep it.
func (a *Arena) Vacated(at int32) bool {
	if a.vacating < 0 {
		return true // with its last block
	}
	a.vacating = -1
	a.link(at)
	return false
}
