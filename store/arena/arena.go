// Package arena owns a tenant's memory: one private anonymous mapping, reserved
// at the quota, committed as it is touched, never moved, and the allocator of
// blocks in it.
//
// Everything that the allocator decides by stands outside the mapping, in Go
// memory without pointers: damaged arena bytes cannot mislead it. A ref is a
// byte offset from the mapping's start; 0 is no ref. Open and Close belong to
// control threads, all else to the tenant's home lcore.
package arena

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"shredder/store/layout"
)

// Ref is the offset of a block in its arena, 0 for none.
type Ref = uint32

// Limits of an arena's quota in bytes.
const (
	MinQuota = 64 << 10
	// MaxQuota leaves room in the refs' 4 GiB for the slack, and 64 KiB that compiled
	// functions need free behind the last byte.
	MaxQuota = 4<<30 - 64<<10 - slack
)

const pageSize = layout.PageSize

// Arena is one tenant's memory.
type Arena struct {
	mem    []byte
	quota  uint64
	budget *Budget

	farPage, endPage uint32     // see index.go
	headPages        uint32     // pages of header and near index that are charged
	indexPages       uint32     // pages of the far index
	staleIndex       uint32     // pages behind it that a flushed index has touched
	zones            [2]pageMap // below far; from the end downwards
	huge             bool       // huge pages have been asked for
	serial           uint64     // of the last block with a lead

	runs      []run
	freeRun   int32
	partial   [classCount]int32 // runs of a class with a free slot, -1 none
	census    [classCount]census
	vacating  int32  // run that is being emptied and on no list, −1 none
	hand      uint32 // Sparse goes on below this page of handZone
	handZone  uint8
	ordering  bool   // see Sparse
	unordered int    // runs that have got room since the last round
	used      uint64 // bytes of pages in use, header and index included
	charged   uint64 // bytes taken from the budget
	allocated uint64 // bytes of blocks in use
	blocks    uint64
}

// Open reserves quota bytes for blocks, header and index, and charges the first page.
// It reports ErrBudget if the budget does not have it.
func Open(quota uint64, budget *Budget) (*Arena, error) {
	if quota < MinQuota || quota > MaxQuota {
		return nil, fmt.Errorf("arena: quota of %d bytes: want %d to %d", quota, MinQuota, uint64(MaxQuota))
	}
	size := roundUp(quota+slack, 64<<10) // a page of Wasm
	mem, err := unix.Mmap(-1, 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		return nil, fmt.Errorf("arena: reserve %d bytes: %w", size, err)
	}
	a := &Arena{mem: mem, quota: quota, budget: budget}
	a.endPage = uint32(size / pageSize)
	a.farPage = uint32(quota / 4 * 3 / pageSize)
	a.start()
	if !a.charge(pageSize, quota, false) {
		_ = a.Close()
		return nil, ErrBudget
	}
	return a, nil
}

// ErrBudget is given by Open when the process's budget has no page left.
var ErrBudget = errors.New("arena: the memory budget of all tenants is used up")

// start makes the books of an arena without blocks. The pages of the near index
// count as used, by nobody.
func (a *Arena) start() {
	a.headPages, a.indexPages = 1, 0
	a.zones[0].limit = a.farPage
	a.limitTop()
	for z := range a.zones {
		a.zones[z].reset()
	}
	a.zones[0].take(nearPages, -1)
	a.runs = a.runs[:0]
	a.freeRun = -1
	for i := range a.partial {
		a.partial[i] = -1
	}
	a.census = [classCount]census{}
	a.vacating, a.hand, a.handZone, a.ordering = -1, 0, 0, false
	a.allocated, a.blocks = 0, 0
}

// absolute is the first page of n at position at of a zone.
func (a *Arena) absolute(zone int, at, n uint32) uint32 {
	if zone == 0 {
		return at
	}
	return a.endPage - at - n
}

// slack is address space beyond the quota, so that a commit's overflow buckets
// (64 B for each of 1,024 writes at most) never fail.
const slack = 256 << 10

func roundUp(n, unit uint64) uint64 { return (n + unit - 1) / unit * unit }

// Close unmaps the arena. Nobody may hold a slice of it any more.
func (a *Arena) Close() error {
	if a.mem == nil {
		return nil
	}
	a.budget.Give(a.charged)
	a.charged = 0
	mem := a.mem
	a.mem = nil
	return unix.Munmap(mem)
}

// Mem is the whole mapping: refs index it.
func (a *Arena) Mem() []byte { return a.mem }

// Bytes returns size bytes at ref, or false if they leave the arena. The clip
// keeps a caller's append from reaching the next block.
func (a *Arena) Bytes(ref Ref, size uint32) ([]byte, bool) {
	end := uint64(ref) + uint64(size)
	if ref == 0 || end > uint64(len(a.mem)) {
		return nil, false
	}
	return a.mem[ref:end:end], true
}

// charge accounts for size more bytes of pages in use, or reports false if quota or
// budget do not allow it. force overdraws the budget.
func (a *Arena) charge(size, limit uint64, force bool) bool {
	if a.used+size > limit {
		return false
	}
	if a.used+size > a.charged {
		step := roundUp(a.used+size-a.charged, chargeStep)
		if !a.budget.Take(step) {
			step = a.used + size - a.charged
			if force {
				a.budget.overdraw(step)
			} else if !a.budget.Take(step) {
				return false
			}
		}
		a.charged += step
	}
	a.used += size
	if a.used >= hugeUsed && !a.huge {
		a.askHuge()
	}
	return true
}

// chargeStep is how much is taken from the process's budget at a time.
const chargeStep = 16 << 10

func (a *Arena) discharge(size uint64) {
	a.used -= size
	if spare := a.charged - a.used; spare >= 8*chargeStep {
		a.budget.Give(spare - chargeStep)
		a.charged -= spare - chargeStep
	}
}

// Usage is what an arena holds, in bytes but for Blocks.
type Usage struct {
	Quota     uint64
	Used      uint64 // pages in use
	Allocated uint64 // blocks in use, at the size of their class
	Blocks    uint64
}

// Usage returns the arena's figures.
func (a *Arena) Usage() Usage {
	return Usage{Quota: a.quota, Used: a.used, Allocated: a.allocated, Blocks: a.blocks}
}

// Reset frees every block but none of the kernel's pages: Release gives those back
// little by little. Bytes keep what they held. The first page stays charged.
func (a *Arena) Reset() {
	a.staleIndex += a.indexPages
	a.start()
	a.discharge(a.used - pageSize)
}
