package arena

import (
	"math/bits"

	"shredder/internal/invariant"
)

// Blocks of up to maxSmall bytes come from runs of pages that hold blocks of one
// class; larger ones are runs of their own. Which slots of a run are free stands
// in two words of Go memory (as in jemalloc's slabs: Evans 2006), so a free of
// something that was never allocated is noticed.
const (
	maxSmall   = 8 << 10
	classCount = len(classes)
	largeClass = 0xff

	// MaxSlots is how many blocks a run holds at most.
	MaxSlots = 128
	// MaxLead is how far into a large block a ref may point and still name it.
	MaxLead = 2048
)

// classes are the sizes of small blocks: steps of 16 bytes, then eighths of a
// power of two, so at most 12.5 % of a block is lost.
var classes = [...]uint16{
	32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256,
	288, 320, 352, 384, 416, 448, 480, 512,
	576, 640, 704, 768, 832, 896, 960, 1024,
	1152, 1280, 1408, 1536, 1664, 1792, 1920, 2048,
	2304, 2560, 2816, 3072, 3328, 3584, 3840, 4096,
	4608, 5120, 5632, 6144, 6656, 7168, 7680, 8192,
}

// classOf[size/16 rounded up] is the class of a size.
var classOf = func() (t [maxSmall/16 + 1]uint8) {
	c := 0
	for i := range t {
		for int(classes[c]) < i*16 {
			c++
		}
		t[i] = uint8(c)
	}
	return t
}()

// runPages is how many pages a run of a class has: the fewest with at most
// 1/16 of the run lost, and at least one block.
var runPages = func() (t [classCount]uint8) {
	for c, size := range classes {
		best, bestLoss := 0, 1.0
		for n := 1; n <= 9; n++ {
			slots := min(n*pageSize/int(size), MaxSlots)
			if slots == 0 {
				continue
			}
			loss := 1 - float64(slots*int(size))/float64(n*pageSize)
			if loss < bestLoss-1e-9 {
				best, bestLoss = n, loss
			}
			if loss <= 1.0/16 {
				break
			}
		}
		t[c] = uint8(best)
	}
	return t
}()

// run is pages that hold blocks of one class, or one large block.
type run struct {
	free       [2]uint64 // slots that are free
	serial     uint64    // of a block with a lead that has not been settled, else 0
	start      uint32    // page
	pages      uint32
	next, prev int32 // list of partly used runs of the class, or of unused run records
	slots      uint16
	live       uint16
	class      uint8
	zone       uint8
}

// Alloc returns a block of at least size bytes, 8-byte aligned, its contents
// undefined, or false if quota or budget are used up.
func (a *Arena) Alloc(size uint32) (Ref, bool) { return a.alloc(size, false) }

// AllocReserved is Alloc that may use the slack beyond the quota and overdraw the
// budget. Only a commit's overflow buckets and an overlay's deletions are worth it.
func (a *Arena) AllocReserved(size uint32) (Ref, bool) { return a.alloc(size, true) }

func (a *Arena) alloc(size uint32, reserved bool) (Ref, bool) {
	if size > maxSmall {
		at, ok := a.newLarge(size)
		if !ok {
			return 0, false
		}
		return a.runs[at].start * pageSize, true
	}
	c := classOf[(size+15)/16]
	at := a.partial[c]
	if at < 0 {
		var ok bool
		if at, ok = a.newRun(c, uint32(runPages[c]), reserved); !ok {
			return 0, false
		}
	}
	r := &a.runs[at]
	slot := bits.TrailingZeros64(r.free[0])
	if slot == 64 {
		slot += bits.TrailingZeros64(r.free[1])
	}
	r.free[slot/64] &^= 1 << (slot % 64)
	r.live++
	if r.live == r.slots {
		a.unlink(at)
	}
	a.census[c].live++
	a.allocated += uint64(classes[c])
	a.blocks++
	return r.start*pageSize + uint32(slot)*uint32(classes[c]), true
}

func (a *Arena) newLarge(size uint32) (int32, bool) {
	pages := (uint64(size) + pageSize - 1) / pageSize
	at, ok := a.newRun(largeClass, uint32(pages), false)
	if !ok {
		return 0, false
	}
	a.allocated += pages * pageSize
	a.blocks++
	return at, true
}

// newRun takes pages and makes a run of them.
func (a *Arena) newRun(class uint8, pages uint32, reserved bool) (int32, bool) {
	limit := a.quota
	if reserved {
		limit += slack / 2
	}
	if !a.charge(uint64(pages)*pageSize, limit, reserved) {
		return 0, false
	}
	at := a.freeRun
	if at < 0 {
		at = int32(len(a.runs))
		a.runs = append(a.runs, run{next: -1})
		a.freeRun = at
	}
	zone := 0
	start, ok := a.zones[0].take(pages, at)
	if !ok {
		zone = 1
		if start, ok = a.zones[1].take(pages, at); !ok {
			a.discharge(uint64(pages) * pageSize)
			return 0, false
		}
	}
	r := &a.runs[at]
	a.freeRun = r.next
	*r = run{start: a.absolute(zone, start, pages), pages: pages, class: class, zone: uint8(zone), next: -1, prev: -1, slots: 1, live: 1}
	if class == largeClass {
		return at, true
	}
	r.live = 0
	r.slots = uint16(slotsOf[class])
	a.census[class].runs++
	for s := range r.slots {
		r.free[s/64] |= 1 << (s % 64)
	}
	a.link(at)
	return at, true
}

func (a *Arena) link(at int32) {
	r := &a.runs[at]
	head := a.partial[r.class]
	r.next, r.prev = head, -1
	if head >= 0 {
		a.runs[head].prev = at
	}
	a.partial[r.class] = at
}

func (a *Arena) unlink(at int32) {
	r := &a.runs[at]
	if r.prev >= 0 {
		a.runs[r.prev].next = r.next
	} else {
		a.partial[r.class] = r.next
	}
	if r.next >= 0 {
		a.runs[r.next].prev = r.prev
	}
	r.next, r.prev = -1, -1
}

// runAt returns the run that a page belongs to, −1 for none.
func (a *Arena) runAt(page uint32) int32 {
	m := &a.zones[0]
	if page >= a.farPage {
		m = &a.zones[1]
		page = a.endPage - 1 - page
	}
	if page >= uint32(len(m.owner)) {
		return -1
	}
	return m.owner[page]
}

// locate returns the run and slot of a block in use, or false if ref is none.
func (a *Arena) locate(ref Ref) (at int32, slot uint32, ok bool) {
	at = a.runAt(ref / pageSize)
	if at < 0 {
		return 0, 0, false
	}
	r := &a.runs[at]
	off := ref - r.start*pageSize
	if r.class == largeClass {
		return at, 0, off <= MaxLead && off%8 == 0
	}
	size := uint32(classes[r.class])
	slot = off / size
	if off%size != 0 || slot >= uint32(r.slots) || r.free[slot/64]&(1<<(slot%64)) != 0 {
		return 0, 0, false
	}
	return at, slot, true
}

// Fits tells whether Alloc would give a block of just the size that the one at
// ref has for size bytes, so that it can be written over in place.
func (a *Arena) Fits(ref Ref, size uint32) bool {
	at, _, ok := a.locate(ref)
	if !ok {
		return false
	}
	r := &a.runs[at]
	if r.class != largeClass {
		return size <= maxSmall && classOf[(size+15)/16] == r.class
	}
	return size > maxSmall && ref == r.start*pageSize && r.serial == 0 && (uint64(size)+pageSize-1)/pageSize == uint64(r.pages)
}

// AllocLed returns a block of its own pages with room for size bytes behind
// MaxLead bytes: what lies there may begin anywhere in the lead, at a
// multiple of 8, and is freed by that ref. The block is its caller's, by the serial
// number that is never given again, until Settle.
func (a *Arena) AllocLed(size uint32) (ref Ref, serial uint64, ok bool) {
	at, ok := a.newLarge(size + MaxLead)
	if !ok {
		return 0, 0, false
	}
	a.serial++
	a.runs[at].serial = a.serial
	return a.runs[at].start * pageSize, a.serial, true
}

// Holds tells whether ref is the block that AllocLed gave with serial, not settled yet.
func (a *Arena) Holds(ref Ref, serial uint64) bool {
	at := a.runAt(ref / pageSize)
	return at >= 0 && serial != 0 && a.runs[at].serial == serial
}

// Settle makes the block at ref, which Holds, one like any other.
func (a *Arena) Settle(ref Ref) { a.runs[a.runAt(ref/pageSize)].serial = 0 }

// Free gives a block back. It reports false, and does nothing, if ref is not one
// in use or its owner has not settled it: the arena that it was read from is damaged.
func (a *Arena) Free(ref Ref) bool {
	at, slot, ok := a.locate(ref)
	if !ok {
		return false
	}
	r := &a.runs[at]
	if r.serial != 0 {
		return false
	}
	a.blocks--
	if r.class == largeClass {
		invariant.Fill(a.mem[uint64(r.start)*pageSize:][:uint64(r.pages)*pageSize])
		a.allocated -= uint64(r.pages) * pageSize
		a.dropRun(at)
		return true
	}
	invariant.Fill(a.mem[r.start*pageSize+slot*uint32(classes[r.class]):][:classes[r.class]])
	a.allocated -= uint64(classes[r.class])
	r.free[slot/64] |= 1 << (slot % 64)
	r.live--
	a.census[r.class].live--
	switch {
	case r.live == 0:
		if at == a.vacating {
			a.vacating = -1
		} else if r.slots > 1 {
			a.unlink(at)
		}
		a.census[r.class].runs--
		a.dropRun(at)
	case r.live == r.slots-1 && at != a.vacating:
		a.link(at)
		a.unordered++
	}
	return true
}

func (a *Arena) dropRun(at int32) {
	r := &a.runs[at]
	start := r.start
	if r.zone == 1 {
		start = a.endPage - r.start - r.pages
	}
	a.zones[r.zone].give(start, r.pages)
	a.discharge(uint64(r.pages) * pageSize)
	r.serial = 0
	r.next = a.freeRun
	a.freeRun = at
}
