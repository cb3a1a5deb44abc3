package wasm

import (
	"github.com/tetratelabs/wazero/api"

	"shredder/store"
)

// Scratch is the memory of one call for its strings, arrays and objects: blocks
// of the tenant's arena, reserved when they are needed and released when the
// call ends. The first one is small, so that a call that needs little takes
// little; each further one is twice as large as the last, up to Limits.Scratch in
// all. Nothing moves: what is left of a block when the next one begins is wasted.
type scratch struct {
	blocks []store.Block
	first  api.MutableGlobal // of the running form: its first free byte
	limit  api.MutableGlobal // the end of its block
	end    uint32            // the same, for the host
	left   int64             // bytes that may still be reserved
	step   int64             // size of the next block
}

const (
	firstScratch = 64 << 10
	largestStep  = 4 << 20
)

// beginScratch takes the first block, with room for size bytes; 8 is an address that
// holds nothing where none is needed.
func (i *Instance) beginScratch(f *Form, limit int64, size uint32, needed bool) (start uint32, ok bool) {
	s := &i.scratch
	s.blocks, s.first, s.limit, s.left, s.step = s.blocks[:0], f.free, f.limit, limit, i.config.ScratchSize
	s.end = 8
	if !needed {
		return 8, true
	}
	return i.reserveScratch(int64(size))
}

func (i *Instance) reserveScratch(need int64) (start uint32, ok bool) {
	s := &i.scratch
	need += 16 // the ends of a block may not be multiples of eight
	size := max(need, min(s.step, s.left))
	if size > s.left || size > store.MaxValueSize {
		return 0, false
	}
	b, r := i.shard.Reserve(uint32(size))
	if r != store.OK && size > need {
		size = need
		b, r = i.shard.Reserve(uint32(size))
	}
	if r != store.OK {
		return 0, false
	}
	s.blocks = append(s.blocks, b)
	s.left -= size
	s.step = min(2*s.step, largestStep)
	s.end = b.Ref() + uint32(len(b.Bytes()))
	return (b.Ref() + 7) &^ 7, true
}

// growScratch takes a further block with room for n bytes.
func (i *Instance) growScratch(n int64) bool {
	start, ok := i.reserveScratch(n)
	if ok {
		i.scratch.first.Set(uint64(start))
		i.scratch.limit.Set(uint64(i.scratch.end))
	}
	return ok
}

func hostGrow(i *Instance, s []uint64) {
	s[0] = uint64(b2u(i.growScratch(int64(uint32(s[0])))))
}

// endScratch gives everything back.
func (i *Instance) endScratch() {
	for _, b := range i.scratch.blocks {
		i.shard.Release(b)
	}
	i.scratch.blocks = i.scratch.blocks[:0]
}

// alloc takes n bytes of scratch; nil if there are not so many left.
func (i *Instance) alloc(n int) (b []byte, address uint32) {
	for range 2 {
		start := uint64(uint32(i.scratch.first.Get()))
		end := (start + uint64(n) + 7) &^ 7
		if end <= uint64(i.scratch.end) {
			i.scratch.first.Set(end)
			return i.mem[start : start+uint64(n) : start+uint64(n)], uint32(start)
		}
		if !i.growScratch(int64(n)) {
			break
		}
	}
	return nil, 0
}

// room says that n bytes may still be taken.
func (i *Instance) room(n float64) bool {
	return n <= float64(i.scratch.end)-float64(uint32(i.scratch.first.Get())) || n <= float64(i.scratch.left)
}
