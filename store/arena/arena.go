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
	"fmt"

	"golang.org/x/sys/unix"

	"shredder/store/layout"
)

// Ref is the offset of a block in its arena, 0 for none.
type Ref = uint32

// Limits of an arena's quota in bytes.
const (
	MinQuota = 64 << 10
	MaxQuota = 3 << 30
)

const pageSize = layout.PageSize

// Arena is one tenant's memory.
type Arena struct {
	mem    []byte
	quota  uint64
	budget *Budget

	indexEnd  uint32 // first page behind the index range
	pages     pageMap
	runs      []run
	freeRun   int32
	partial   [classCount]int32 // runs of a class with a free slot, -1 none
	used      uint64            // bytes of pages in use, header and index included
	charged   uint64            // bytes taken from the budget
	allocated uint64            // bytes of blocks in use
	blocks    uint64
}

// Open reserves quota bytes for blocks, header and index. indexSize is the range
// kept free for the index in front of the blocks, in bytes of address space only.
func Open(quota uint64, budget *Budget) (*Arena, error) {
	if quota < MinQuota || quota > MaxQuota {
		return nil, fmt.Errorf("arena: quota of %d bytes: want %d to %d", quota, MinQuota, uint64(MaxQuota))
	}
	index := roundUp(quota/4+pageSize, pageSize)
	size := roundUp(index+quota+slack, pageSize)
	mem, err := unix.Mmap(-1, 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		return nil, fmt.Errorf("arena: reserve %d bytes: %w", size, err)
	}
	a := &Arena{mem: mem, quota: quota, budget: budget, indexEnd: uint32(index), freeRun: -1}
	a.pages.first = uint32(index / pageSize)
	a.pages.end = uint32(size / pageSize)
	for i := range a.partial {
		a.partial[i] = -1
	}
	return a, nil
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

// IndexEnd is the first ref behind the index range.
func (a *Arena) IndexEnd() uint32 { return a.indexEnd }

// Bytes returns size bytes at ref, or false if they leave the arena. The clip
// keeps a caller's append from reaching the next block.
func (a *Arena) Bytes(ref Ref, size uint32) ([]byte, bool) {
	end := uint64(ref) + uint64(size)
	if ref == 0 || end > uint64(len(a.mem)) {
		return nil, false
	}
	return a.mem[ref:end:end], true
}

// Charge accounts for size more bytes (a multiple of the page size) of pages in
// use, or reports false if quota or budget do not allow it.
func (a *Arena) Charge(size uint64) bool { return a.charge(size, a.quota) }

func (a *Arena) charge(size, limit uint64) bool {
	if a.used+size > limit {
		return false
	}
	if a.used+size > a.charged {
		step := roundUp(a.used+size-a.charged, chargeStep)
		if !a.budget.Take(step) {
			step = a.used + size - a.charged
			if !a.budget.Take(step) {
				return false
			}
		}
		a.charged += step
	}
	a.used += size
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

// Reset frees every block and gives all pages back to the kernel, which makes them
// zero. The first page stays charged.
func (a *Arena) Reset() {
	_ = unix.Madvise(a.mem, unix.MADV_DONTNEED)
	first, end := a.pages.first, a.pages.end
	a.pages = pageMap{first: first, end: end, bits: a.pages.bits[:0], owner: a.pages.owner[:0]}
	a.runs = a.runs[:0]
	a.freeRun = -1
	for i := range a.partial {
		a.partial[i] = -1
	}
	a.allocated, a.blocks = 0, 0
	a.discharge(a.used - pageSize)
}
