package wasm

import (
	"encoding/binary"
	"math"
	"slices"

	"shredder/jit/compile"
)

// sorter is sort.Stable of the standard library, turned inside out: tier 0 sorts
// with it, and which elements it compares can be seen by the function that
// compares. step takes the answer to the last question and gives the next one.
type sorter struct {
	data    []byte
	width   int
	n       int
	block   int // size of the sorted blocks; 20 at first
	at      int // where the next block, or pair of blocks, begins
	tasks   [][3]int
	mode    sortMode
	a       int // of the task that is asked about
	m       int
	b       int
	i, j    int
	begun   bool
	merging bool
}

type sortMode uint8

const (
	sortIdle   sortMode = iota
	sortInsert          // is j less than j − 1?
	sortFirst           // one element before m: is the middle of i…j less than a?
	sortLast            // one element from m on: is m less than the middle of i…j?
	sortHalf            // is p − c less than c?
)

const firstBlock = 20

func (s *sorter) begin(data []byte, n, width int) {
	*s = sorter{data: data, n: n, width: width, block: firstBlock, tasks: s.tasks[:0]}
}

func (s *sorter) swap(i, j int) {
	x, y := s.data[i*s.width:][:s.width], s.data[j*s.width:][:s.width]
	var t [8]byte
	copy(t[:], x)
	copy(x, y)
	copy(y, t[:])
}

func half(i, j int) int { return int(uint(i+j) >> 1) }

// step gives the next pair to compare; ok is false when all is sorted.
func (s *sorter) step(less bool) (x, y int, ok bool) {
	if s.begun && s.mode != sortIdle {
		s.answer(less)
	}
	s.begun = true
	for {
		switch s.mode {
		case sortInsert:
			if s.i < s.b {
				if s.j > s.a {
					return s.j, s.j - 1, true
				}
				s.i++
				s.j = s.i
				continue
			}
		case sortFirst:
			if s.i < s.j {
				return half(s.i, s.j), s.a, true
			}
			for k := s.a; k < s.i-1; k++ {
				s.swap(k, k+1)
			}
		case sortLast:
			if s.i < s.j {
				return s.m, half(s.i, s.j), true
			}
			for k := s.m; k > s.i; k-- {
				s.swap(k, k-1)
			}
		case sortHalf:
			if s.i < s.j {
				c := half(s.i, s.j)
				return half(s.a, s.b) + s.m - 1 - c, c, true
			}
			s.divide()
		}
		s.mode = sortIdle
		if !s.next() {
			return 0, 0, false
		}
	}
}

func (s *sorter) answer(less bool) {
	switch s.mode {
	case sortInsert:
		if less {
			s.swap(s.j, s.j-1)
			s.j--
			return
		}
		s.i++
		s.j = s.i
	case sortFirst:
		if less {
			s.i = half(s.i, s.j) + 1
		} else {
			s.j = half(s.i, s.j)
		}
	default:
		if !less {
			s.i = half(s.i, s.j) + 1
		} else {
			s.j = half(s.i, s.j)
		}
	}
}

// divide rotates the halves of a merge into place and leaves the two smaller
// merges to be done, the first one on top.
func (s *sorter) divide() {
	start, mid := s.i, half(s.a, s.b)
	end := mid + s.m - start
	if start < s.m && s.m < end {
		s.rotate(start, s.m, end)
	}
	if mid < end && end < s.b {
		s.tasks = append(s.tasks, [3]int{mid, end, s.b})
	}
	if s.a < start && start < mid {
		s.tasks = append(s.tasks, [3]int{s.a, start, mid})
	}
}

// rotate exchanges the blocks a…m and m…b.
func (s *sorter) rotate(a, m, b int) {
	for _, r := range [3][2]int{{a, m}, {m, b}, {a, b}} {
		for i, j := r[0], r[1]-1; i < j; i, j = i+1, j-1 {
			s.swap(i, j)
		}
	}
}

// next takes the next task: blocks are sorted by insertion, then merged in
// pairs until there is one. false: nothing is left to do.
func (s *sorter) next() bool {
	for {
		switch n := len(s.tasks); {
		case n > 0:
			t := s.tasks[n-1]
			s.tasks = s.tasks[:n-1]
			s.merge(t[0], t[1], t[2])
			return true
		case !s.merging && s.at < s.n:
			s.a, s.b = s.at, min(s.at+s.block, s.n)
			s.mode, s.i, s.j = sortInsert, s.a+1, s.a+1
			s.at = s.b
			return true
		case !s.merging:
			s.merging, s.at = true, 0
		case s.block >= s.n:
			return false
		default:
			if middle := s.at + s.block; middle < s.n {
				s.tasks = append(s.tasks, [3]int{s.at, middle, min(middle+s.block, s.n)})
			}
			if s.at += 2 * s.block; s.at >= s.n {
				s.at, s.block = 0, 2*s.block
			}
		}
	}
}

// merge begins to merge the sorted a…m and m…b.
func (s *sorter) merge(a, m, b int) {
	s.a, s.m, s.b = a, m, b
	switch mid := half(a, b); {
	case m-a == 1:
		s.mode, s.i, s.j = sortFirst, m, b
	case b-m == 1:
		s.mode, s.i, s.j = sortLast, a, m
	case m > mid:
		s.mode, s.i, s.j = sortHalf, mid+m-b, mid
	default:
		s.mode, s.i, s.j = sortHalf, a, m
	}
}

// sorters are the sorts of a call that are under way: a function that compares
// may sort itself.
type sorters []sorter

// hostSortBegin begins to sort n elements of a width and gives it a number.
func hostSortBegin(i *Instance, s []uint64) {
	n, width := uint64(uint32(s[1])), uint64(uint32(s[2]))
	data := i.bytes(s[0], n*width)
	depth := len(i.sorting)
	i.sorting = append(i.sorting, sorter{})
	i.sorting[depth].begin(data, len(data)/int(width), int(width))
	s[0] = uint64(depth)
}

// hostSortStep takes the answer to a sort's last question and returns the
// elements to compare next, or −1. An exception may have left inner sorts.
func hostSortStep(i *Instance, s []uint64) {
	depth := int(uint32(s[0]))
	if depth >= len(i.sorting) {
		s[0] = math.MaxUint64
		return
	}
	i.sorting = i.sorting[:depth+1]
	x, y, ok := i.sorting[depth].step(uint32(s[1]) != 0)
	if !ok {
		i.sorting = i.sorting[:depth]
		s[0] = math.MaxUint64
		return
	}
	s[0] = uint64(x)<<32 | uint64(y)
}

// hostSortTexts sorts the elements of an array by their text, as sort without a
// function does; undefined goes last.
func hostSortTexts(i *Instance, s []uint64) {
	h := i.bytes(s[0], 12)
	if h == nil {
		return
	}
	data := i.bytes(uint64(binary.LittleEndian.Uint32(h[8:])), uint64(binary.LittleEndian.Uint32(h))*8)
	isText := uint32(s[1]) != 0
	type item struct {
		slot uint64
		text text
		none bool
	}
	items := make([]item, len(data)/8)
	for n := range items {
		x := binary.LittleEndian.Uint64(data[n*8:])
		items[n].slot = x
		switch {
		case isText && uint32(x) != 0:
			items[n].text = i.textAt(x, x>>32)
		case isText, x == compile.SentinelBits|compile.CodeUndefined:
			items[n].none = true
		default:
			items[n].text = text{appendNumber(nil, math.Float64frombits(x)), false}
		}
	}
	slices.SortStableFunc(items, func(a, b item) int {
		if a.none || b.none {
			return int(b2u(a.none)) - int(b2u(b.none))
		}
		return a.text.compare(b.text)
	})
	for n, x := range items {
		binary.LittleEndian.PutUint64(data[n*8:], x.slot)
	}
}

func b2u(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}
