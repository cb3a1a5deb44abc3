package arena

import "golang.org/x/sys/unix"

// The mapping has two zones of pages for blocks and, between them, the index:
//
//	0        NearEnd                          far      far+index         end
//	| header | blocks, filled upwards → ...   | index →  ...  ← blocks |
//	| index  |
//
// A small table's index stands behind the header and its blocks right after it.
// A larger one's moves once to far, at three quarters of the quota, and grows
// upwards from there. Blocks go there too, from the end downwards, when all below
// is taken; index and blocks then share what is left, and nothing but the
// quota is reserved.

// NearEnd is where the place for a small table's index ends.
const NearEnd = nearPages * pageSize

const nearPages = 4

// Far is the ref of a large table's first bucket.
func (a *Arena) Far() Ref { return a.farPage * pageSize }

// GrowNear charges the pages of the near index up to ref end, at most NearEnd.
func (a *Arena) GrowNear(end uint64) bool {
	need := uint32((end + pageSize - 1) / pageSize)
	if a.indexPages > 0 || need > nearPages {
		return false
	}
	if need <= a.headPages {
		return true
	}
	if !a.charge(uint64(need-a.headPages)*pageSize, a.quota, false) {
		return false
	}
	a.headPages = need
	return true
}

// GrowFar makes the far index reach up to ref end, or reports false if blocks or the
// mapping's end stand in the way or quota or budget do not allow it.
func (a *Arena) GrowFar(end uint64) bool {
	need := (end+pageSize-1)/pageSize - uint64(a.farPage)
	if need <= uint64(a.indexPages) {
		return true
	}
	if uint64(a.farPage)+need > uint64(a.endPage) {
		return false
	}
	size := (need - uint64(a.indexPages)) * pageSize
	if !a.charge(size, a.quota, false) {
		return false
	}
	for p := a.farPage + a.indexPages; p < a.farPage+uint32(need); p++ {
		if !a.zones[1].claim(a.endPage - 1 - p) {
			a.discharge(size)
			return false
		}
	}
	a.staleIndex -= min(a.staleIndex, uint32(need)-a.indexPages)
	a.indexPages = uint32(need)
	a.limitTop()
	return true
}

// limitTop keeps blocks out of the index, and out of what a flushed index has touched
// until the kernel has it back.
func (a *Arena) limitTop() {
	a.zones[1].limit = a.endPage - a.farPage - a.indexPages - a.staleIndex
}

// FreeNear gives the near index's pages to blocks: the index has moved to far. The
// header's page stays.
func (a *Arena) FreeNear() {
	a.discharge(uint64(a.headPages-1) * pageSize)
	a.headPages = 1
	a.zones[0].give(1, nearPages-1)
}

// hugeUsed is from where on an arena asks for huge pages. Below it, rounding up to
// 2 MiB would cost more memory than the TLB misses it saves.
const hugeUsed = 4 << 20

// askHuge asks for huge pages in the zones that fill densely. The last of a zone
// is resident before all of it is in use; quotas and budgets count pages of 4 KiB.
func (a *Arena) askHuge() {
	a.huge = true
	_ = unix.Madvise(a.mem[:uint64(a.farPage)*pageSize], unix.MADV_HUGEPAGE)
	_ = unix.Madvise(a.mem[uint64(a.farPage)*pageSize:], unix.MADV_HUGEPAGE)
}
