package arena

import (
	"math/bits"

	"golang.org/x/sys/unix"
)

// pageMap says which pages of a zone are in use: one bit a page, and for each page
// in use the run that it belongs to. Pages are numbered in the order in which the
// zone fills. The books grow with the highest page ever used, so a small tenant's
// are small.
type pageMap struct {
	limit uint32   // pages of the zone
	high  uint32   // pages below it have been used at some time
	used  []uint64 // 1: in use
	dirty []uint64 // 1: free, but the kernel has not been given it back
	owner []int32  // run of a page in use, −1 for none

	// hints[n]: no n free pages in a row begin below it; the last stands for all
	// longer ones. fail: so many are not to be had below high.
	hints [maxRunPages + 1]uint32
	fail  uint32

	dirtyPages uint32
	sweep      uint32 // word of dirty where giving back goes on
}

// maxRunPages is the longest run of small blocks.
const maxRunPages = 9

// take finds n pages in a row and marks them as run at's, or reports false.
func (m *pageMap) take(n uint32, run int32) (at uint32, ok bool) {
	if at, ok = m.find(n); !ok {
		at = m.tail()
		if uint64(at)+uint64(n) > uint64(m.limit) {
			return 0, false
		}
		m.grow(at + n)
	}
	for p := at; p < at+n; p++ {
		bit := uint64(1) << (p % 64)
		m.used[p/64] |= bit
		if m.dirty[p/64]&bit != 0 {
			m.dirty[p/64] &^= bit
			m.dirtyPages--
		}
		m.owner[p] = run
	}
	if n <= maxRunPages {
		m.hints[n] = at + n
	}
	return at, true
}

// tail is the first page of the free ones that end at the high-water mark.
func (m *pageMap) tail() uint32 {
	at := min(m.high, m.limit)
	for at > 0 && m.used[(at-1)/64]&(1<<((at-1)%64)) == 0 {
		at--
	}
	return at
}

func (m *pageMap) grow(high uint32) {
	if high <= m.high {
		return
	}
	m.high = high
	for uint32(len(m.used))*64 < high {
		m.used = append(m.used, 0)
		m.dirty = append(m.dirty, 0)
	}
	for uint32(len(m.owner)) < high {
		m.owner = append(m.owner, -1)
	}
}

// find looks for n free pages in a row below the high-water mark. It steps over
// words and runs, never over single pages.
func (m *pageMap) find(n uint32) (uint32, bool) {
	if n >= m.fail {
		return 0, false
	}
	end := min(m.high, m.limit)
	for p := m.hints[min(n, maxRunPages)]; p < end; {
		word := ^m.used[p/64] >> (p % 64)
		if word == 0 {
			p = (p/64 + 1) * 64
			continue
		}
		p += uint32(bits.TrailingZeros64(word))
		stop := min(m.endOfFree(p, n), end)
		if stop >= p+n {
			return p, true
		}
		p = stop + 1
	}
	m.fail = n
	return 0, false
}

// endOfFree is the first used page behind p, or one at least n behind it.
func (m *pageMap) endOfFree(p, n uint32) uint32 {
	for q := p; ; {
		word := m.used[q/64] >> (q % 64)
		if word != 0 {
			return q + uint32(bits.TrailingZeros64(word))
		}
		q = (q/64 + 1) * 64
		if q >= m.high || q >= p+n {
			return q
		}
	}
}

func (m *pageMap) give(at, n uint32) {
	for p := at; p < at+n; p++ {
		m.used[p/64] &^= 1 << (p % 64)
		m.dirty[p/64] |= 1 << (p % 64)
		m.owner[p] = -1
	}
	m.dirtyPages += n
	m.fail = ^uint32(0)
	from, to := at, at+n
	for from > 0 && at-from < maxRunPages && m.used[(from-1)/64]&(1<<((from-1)%64)) == 0 {
		from--
	}
	for to < m.high && to-at-n < maxRunPages && m.used[to/64]&(1<<(to%64)) == 0 {
		to++
	}
	for k := uint32(1); k <= min(to-from, maxRunPages); k++ {
		m.hints[k] = min(m.hints[k], from)
	}
}

// claim takes a free page out of the zone, or reports false if it is in use.
func (m *pageMap) claim(p uint32) bool {
	if p >= m.high {
		return true
	}
	bit := uint64(1) << (p % 64)
	if m.used[p/64]&bit != 0 {
		return false
	}
	if m.dirty[p/64]&bit != 0 {
		m.dirty[p/64] &^= bit
		m.dirtyPages--
	}
	return true
}

// reset frees every page.
func (m *pageMap) reset() {
	for i := range m.used {
		m.dirty[i] |= m.used[i]
		m.used[i] = 0
	}
	for i := range m.owner {
		m.owner[i] = -1
	}
	m.dirtyPages = 0
	for _, w := range m.dirty {
		m.dirtyPages += uint32(bits.OnesCount64(w))
	}
	m.hints = [maxRunPages + 1]uint32{}
	m.fail = ^uint32(0)
}

// nextDirty takes up to n dirty pages in a row out of the books.
func (m *pageMap) nextDirty(n uint32) (at, length uint32) {
	for range 2 * len(m.dirty) {
		if m.sweep >= uint32(len(m.dirty)) {
			m.sweep = 0
		}
		word := m.dirty[m.sweep]
		if word == 0 {
			m.sweep++
			continue
		}
		at = m.sweep*64 + uint32(bits.TrailingZeros64(word))
		for length < n && at+length < m.high && m.dirty[(at+length)/64]&(1<<((at+length)%64)) != 0 {
			m.dirty[(at+length)/64] &^= 1 << ((at + length) % 64)
			length++
		}
		m.dirtyPages -= length
		return at, length
	}
	return 0, 0
}

// keepDirty is how many free pages stay with the arena for the next blocks: a
// fault costs more than a reuse.
func (a *Arena) keepDirty() uint32 { return uint32(min(a.used/pageSize/8, 1024)) }

// Release gives free pages back to the kernel, up to limit of them, and reports
// whether there are more than an eighth of those in use.
func (a *Arena) Release(limit int) bool {
	keep := a.keepDirty()
	for z := range a.zones {
		m := &a.zones[z]
		for limit > 0 && a.zones[0].dirtyPages+a.zones[1].dirtyPages > keep {
			at, n := m.nextDirty(uint32(limit))
			if n == 0 {
				break
			}
			limit -= int(n)
			from := uint64(a.absolute(z, at, n)) * pageSize
			_ = unix.Madvise(a.mem[from:from+uint64(n)*pageSize], unix.MADV_DONTNEED)
		}
	}
	if n := min(uint32(max(limit, 0)), a.staleIndex); n > 0 {
		a.staleIndex -= n
		a.limitTop()
		from := uint64(a.farPage+a.indexPages+a.staleIndex) * pageSize
		_ = unix.Madvise(a.mem[from:from+uint64(n)*pageSize], unix.MADV_DONTNEED)
	}
	return a.staleIndex > 0 || a.zones[0].dirtyPages+a.zones[1].dirtyPages > keep
}
