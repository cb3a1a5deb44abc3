package arena

import (
	"math/bits"

	"golang.org/x/sys/unix"
)

// pageMap says which pages behind the index range are in use: one bit a page, and
// for each page in use the run that it belongs to. Both grow with the highest page
// ever used, so a small tenant's are small.
type pageMap struct {
	first, end uint32   // pages of the range
	high       uint32   // pages below first+high have been used at some time
	bits       []uint64 // 1: in use
	owner      []int32  // run of a page in use
	hint       uint32   // no free page below it
	dirty      uint32   // freed pages that the kernel has not been given back
	sweep      uint32   // where giving back goes on
}

// take finds n pages in a row and marks them, or reports false.
func (m *pageMap) take(n uint32) (at uint32, ok bool) {
	if at, ok = m.findBelow(n); !ok {
		at = m.tail()
		if uint64(m.first)+uint64(at)+uint64(n) > uint64(m.end) {
			return 0, false
		}
		m.grow(at + n)
	}
	for p := at; p < at+n; p++ {
		m.bits[p/64] |= 1 << (p % 64)
	}
	if at <= m.hint {
		m.hint = at + n
	}
	return at, true
}

// tail is the first page of the free ones that end at the high-water mark.
func (m *pageMap) tail() uint32 {
	at := m.high
	for at > m.hint && m.bits[(at-1)/64]&(1<<((at-1)%64)) == 0 {
		at--
	}
	return at
}

func (m *pageMap) grow(high uint32) {
	if high <= m.high {
		return
	}
	m.high = high
	for uint32(len(m.bits))*64 < high {
		m.bits = append(m.bits, 0)
	}
	for uint32(len(m.owner)) < high {
		m.owner = append(m.owner, -1)
	}
}

// findBelow looks for n free pages in a row below the high-water mark. Words of
// pages all in use cost one compare for 256 KiB.
func (m *pageMap) findBelow(n uint32) (uint32, bool) {
	for p := m.hint; p < m.high; {
		word := ^m.bits[p/64] >> (p % 64)
		if word == 0 {
			p = (p/64 + 1) * 64
			continue
		}
		p += uint32(bits.TrailingZeros64(word))
		length := uint32(0)
		for p+length < m.high && length < n && m.bits[(p+length)/64]&(1<<((p+length)%64)) == 0 {
			length++
		}
		if length == n {
			return p, true
		}
		p += length + 1
	}
	return 0, false
}

func (m *pageMap) give(at, n uint32) {
	for p := at; p < at+n; p++ {
		m.bits[p/64] &^= 1 << (p % 64)
		m.owner[p] = -1
	}
	m.hint = min(m.hint, at)
}

// Release gives free pages back to the kernel, up to limit of them, and reports
// whether there may be more. It walks on from where the last call ended.
func (a *Arena) Release(limit int) bool {
	m := &a.pages
	if m.dirty == 0 {
		return false
	}
	for walked := uint32(0); limit > 0 && walked <= m.high; {
		if m.sweep >= m.high {
			m.sweep = 0
		}
		start := m.sweep
		for m.sweep < m.high && m.sweep-start < uint32(limit) && m.bits[m.sweep/64]&(1<<(m.sweep%64)) == 0 {
			m.sweep++
		}
		if n := m.sweep - start; n > 0 {
			from := uint64(m.first+start) * pageSize
			_ = unix.Madvise(a.mem[from:from+uint64(n)*pageSize], unix.MADV_DONTNEED)
			limit -= int(n)
			walked += n
			m.dirty -= min(m.dirty, n)
		} else {
			m.sweep++
			walked++
			if walked%64 == 0 {
				limit--
			}
		}
	}
	return m.dirty > 0
}
