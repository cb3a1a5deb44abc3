package engine

import (
	"encoding/binary"
	"math/bits"
	"unsafe"

	"shredder/jit/jsmath"
	"shredder/store"
	"shredder/store/layout"
)

// Native is the workloads by hand in Go, over a shard's own table and without
// bounds checks in it: what compiled code is measured against.
type Native struct {
	base        unsafe.Pointer
	index       uint32
	mask, split uint64
	seed        uint64
	lists       [2][]uint32
}

// NewNative reads a shard's header; the shard must not change afterwards.
func NewNative(s *store.Shard) *Native {
	m := s.Mem()
	word := func(off int) uint32 { return binary.LittleEndian.Uint32(m[off:]) }
	return &Native{base: unsafe.Pointer(unsafe.SliceData(m)), index: word(layout.OffIndex), mask: uint64(word(layout.OffMask)),
		split: uint64(word(layout.OffSplit)), seed: binary.LittleEndian.Uint64(m[layout.OffSeed:])}
}

func at[T any](n *Native, ref, off uint32) T {
	return *(*T)(unsafe.Add(n.base, uintptr(ref)+uintptr(off)))
}

func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= layout.HashMul1
	x ^= x >> 27
	x *= layout.HashMul2
	return x ^ x>>31
}

func (n *Native) bucket(h uint64) uint32 {
	i := h & n.mask
	if i < n.split {
		i = h & (2*n.mask + 1)
	}
	return n.index + uint32(i)*layout.BucketSize
}

// lookup returns the address and size of an integer key's value, 0 if it is missing.
func (n *Native) lookup(key uint64) (value, size uint32) {
	h := mix(key ^ n.seed)
	tag := uint16(h>>layout.TagShift | layout.TagBit)
	for b := n.bucket(h); b != 0; b = at[uint32](n, b, layout.OffOverflow) {
		for slot := range uint32(layout.BucketSlots) {
			if at[uint16](n, b, layout.OffTags+2*slot) != tag {
				continue
			}
			e := at[uint32](n, b, layout.OffRefs+4*slot)
			if at[uint64](n, e, layout.OffEntryKey) == key && at[uint16](n, e, layout.OffEntryFlags) == layout.FlagIntKey {
				return e + layout.OffEntryKey + 8, at[uint32](n, e, layout.OffEntryValueLen)
			}
		}
	}
	return 0, 0
}

// lookupBytes is the same for a byte key.
func (n *Native) lookupBytes(key []byte) (value, size uint32) {
	h := n.seed ^ uint64(len(key))*layout.HashMul1
	rest := key
	for len(rest) >= 8 {
		h = mix(h ^ binary.LittleEndian.Uint64(rest))
		rest = rest[8:]
	}
	var last [8]byte
	copy(last[:], rest)
	h = mix(h ^ binary.LittleEndian.Uint64(last[:]) + layout.HashMul2)
	tag := uint16(h>>layout.TagShift | layout.TagBit)
	for b := n.bucket(h); b != 0; b = at[uint32](n, b, layout.OffOverflow) {
		for slot := range uint32(layout.BucketSlots) {
			if at[uint16](n, b, layout.OffTags+2*slot) != tag {
				continue
			}
			e := at[uint32](n, b, layout.OffRefs+4*slot)
			if int(at[uint16](n, e, layout.OffEntryKeyLen)) == len(key) && string(bytesAt(n, e+layout.OffEntryKey, uint32(len(key)))) == string(key) {
				return e + layout.OffEntryKey + (uint32(len(key))+7)&^7, at[uint32](n, e, layout.OffEntryValueLen)
			}
		}
	}
	return 0, 0
}

func bytesAt(n *Native, ref, size uint32) []byte {
	return unsafe.Slice((*byte)(unsafe.Add(n.base, uintptr(ref))), size)
}

func view[T any](n *Native, ref, size uint32) []T {
	var element T
	return unsafe.Slice((*T)(unsafe.Add(n.base, uintptr(ref))), size/uint32(unsafe.Sizeof(element)))
}

func (n *Native) friends(id uint32) []uint32 {
	value, size := n.lookup(uint64(id))
	return view[uint32](n, value, size)
}

// CountFriends is countFriends of workloads.js, and so on.
func (n *Native) CountFriends(id uint32, depth int) int {
	friends := n.friends(id)
	total := len(friends)
	if depth == 1 {
		return total
	}
	for _, f := range friends {
		total += n.CountFriends(f, depth-1)
	}
	return total
}

func (n *Native) CountAll(nodes uint32, depth int) (total int) {
	for id := range nodes {
		total += n.CountFriends(id, depth)
	}
	return total
}

func (n *Native) Chase(key uint32, steps int) uint32 {
	for range steps {
		if value, size := n.lookup(uint64(key)); size >= 4 {
			key = at[uint32](n, value, 0)
		} else {
			key = 0
		}
	}
	return key
}

// next is Marsaglia's xorshift as JavaScript has it: the right shift of 32 bits is
// without a sign.
func next(x uint32) uint32 {
	x ^= x << 13
	x ^= x >> 17
	return x ^ x<<5
}

func (n *Native) Gather(seed uint32, steps int, keys uint32) (sum uint64) {
	x := seed
	for range steps {
		x = next(x)
		if value, size := n.lookup(uint64(x % keys)); size >= 4 {
			sum += uint64(at[uint32](n, value, 0))
		}
	}
	return sum
}

func (n *Native) Profiles(seed uint32, steps int, keys uint32) (sum uint64) {
	x := seed
	key := append(make([]byte, 0, 32), profilePrefix...)
	for range steps {
		x = next(x)
		key = key[:len(profilePrefix)+8]
		id := profileFirst + x%keys
		for i := len(key) - 1; i >= len(profilePrefix); i-- {
			key[i] = '0' + byte(id%10)
			id /= 10
		}
		if value, size := n.lookupBytes(key); size >= 4 {
			sum += uint64(at[uint32](n, value, 0))
		}
	}
	return sum
}

func (n *Native) Project(seed uint32, steps int, keys uint32) (sum uint64) {
	x := seed
	for range steps {
		x = next(x)
		value, size := n.lookup(uint64(x % keys))
		if value == 0 {
			continue
		}
		var head [4]byte
		copy(head[:], bytesAt(n, value, size))
		sum += uint64(head[0]) + uint64(head[3])
	}
	return sum
}

func layer(weights, x, out []float64) {
	for j := range out {
		w := weights[j*(len(x)+1):][:len(x)+1]
		sum := 0.0
		for i, v := range x {
			sum += w[i] * v
		}
		out[j] = 1 / (1 + jsmath.Exp(-(sum + w[len(x)])))
	}
}

func (n *Native) classify(model, sample uint32) int {
	value, size := n.lookup(uint64(model))
	weights := view[float64](n, value, size)
	value, size = n.lookup(uint64(sample))
	input := view[float64](n, value, size)
	var hidden [5]float64
	var out [3]float64
	layer(weights, input, hidden[:])
	layer(weights[5*(len(input)+1):], hidden[:], out[:])
	best := 0
	for k := range out {
		if out[k] > out[best] {
			best = k
		}
	}
	return best
}

func (n *Native) ClassifyMany(model, sample uint32, times int) (sum int) {
	for range times {
		sum += n.classify(model, sample)
	}
	return sum
}

// numberSet is an open-addressing set of numbers but the highest one.
type numberSet struct {
	slots []uint32 // number + 1; 0 is empty
	count int
}

// add reports whether the number is new.
func (s *numberSet) add(number uint32) bool {
	if 2*s.count >= len(s.slots) {
		old := s.slots
		s.slots = make([]uint32, 2*len(old))
		s.count = 0
		for _, slot := range old {
			if slot != 0 {
				s.add(slot - 1)
			}
		}
	}
	const fibonacci = 0x9e3779b1
	mask := uint32(len(s.slots) - 1)
	i := number * fibonacci >> (32 - bits.Len32(mask))
	for ; s.slots[i] != 0; i = (i + 1) & mask {
		if s.slots[i] == number+1 {
			return false
		}
	}
	s.slots[i] = number + 1
	s.count++
	return true
}

// Distinct uses a set that begins small in every call, as one in JavaScript does.
func (n *Native) Distinct(id uint32, hops int) int {
	set := numberSet{slots: make([]uint32, 16)}
	set.add(id)
	frontier, following := append(n.lists[0][:0], id), n.lists[1][:0]
	for range hops {
		following = following[:0]
		for _, x := range frontier {
			for _, y := range n.friends(x) {
				if set.add(y) {
					following = append(following, y)
				}
			}
		}
		frontier, following = following, frontier
	}
	n.lists = [2][]uint32{frontier, following}
	return set.count
}

// First is one lookup, as the function of a call that does nothing else.
func (n *Native) First(key uint32) uint32 {
	if value, size := n.lookup(uint64(key)); size >= 4 {
		return at[uint32](n, value, 0)
	}
	return 0
}

// refOf is where a value that lies in mem begins.
func refOf(mem, value []byte) uint32 {
	return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(value))) - uintptr(unsafe.Pointer(unsafe.SliceData(mem))))
}
