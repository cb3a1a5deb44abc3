package wasm

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"
	"unsafe"

	"shredder/store"
	"shredder/store/layout"
)

// native is countFriends written by hand in Go on the same table, without
// bounds checks: what compiled code is measured against.
type native struct {
	base        unsafe.Pointer
	index       uint32
	mask, split uint64
	seed        uint64
	lookups     uint64
}

func newNative(s *store.Shard) *native {
	m := s.Mem()
	return &native{base: unsafe.Pointer(unsafe.SliceData(m)), index: binary.LittleEndian.Uint32(m[layout.OffIndex:]),
		mask: uint64(binary.LittleEndian.Uint32(m[layout.OffMask:])), split: uint64(binary.LittleEndian.Uint32(m[layout.OffSplit:])),
		seed: binary.LittleEndian.Uint64(m[layout.OffSeed:])}
}

func at[T any](n *native, ref uint32, off uint32) T {
	return *(*T)(unsafe.Add(n.base, uintptr(ref)+uintptr(off)))
}

func (n *native) lookup(key uint64) []uint32 {
	n.lookups++
	h := key ^ n.seed
	h ^= h >> 30
	h *= layout.HashMul1
	h ^= h >> 27
	h *= layout.HashMul2
	h ^= h >> 31
	i := h & n.mask
	if i < n.split {
		i = h & (2*n.mask + 1)
	}
	tag := h>>layout.TagShift | layout.TagBit
	for b := n.index + uint32(i)*layout.BucketSize; b != 0; b = at[uint32](n, b, layout.OffOverflow) {
		for slot := uint32(0); slot < layout.BucketSlots; slot++ {
			if at[uint16](n, b, layout.OffTags+2*slot) != uint16(tag) {
				continue
			}
			e := at[uint32](n, b, layout.OffRefs+4*slot)
			if at[uint64](n, e, layout.OffEntryKey) == key && at[uint16](n, e, layout.OffEntryFlags) == layout.FlagIntKey {
				return unsafe.Slice((*uint32)(unsafe.Add(n.base, uintptr(e)+layout.OffEntryKey+8)), at[uint32](n, e, layout.OffEntryValueLen)/4)
			}
		}
	}
	return nil
}

func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= layout.HashMul1
	x ^= x >> 27
	x *= layout.HashMul2
	return x ^ x>>31
}

func (n *native) lookupBytes(key []byte) []byte {
	n.lookups++
	h := n.seed ^ uint64(len(key))*layout.HashMul1
	rest := key
	for len(rest) >= 8 {
		h = mix(h ^ binary.LittleEndian.Uint64(rest))
		rest = rest[8:]
	}
	last := uint64(0)
	for i := len(rest) - 1; i >= 0; i-- {
		last = last<<8 | uint64(rest[i])
	}
	h = mix(h ^ last + layout.HashMul2)
	i := h & n.mask
	if i < n.split {
		i = h & (2*n.mask + 1)
	}
	tag := h>>layout.TagShift | layout.TagBit
	for b := n.index + uint32(i)*layout.BucketSize; b != 0; b = at[uint32](n, b, layout.OffOverflow) {
		for slot := uint32(0); slot < layout.BucketSlots; slot++ {
			if at[uint16](n, b, layout.OffTags+2*slot) != uint16(tag) {
				continue
			}
			e := at[uint32](n, b, layout.OffRefs+4*slot)
			if at[uint16](n, e, layout.OffEntryKeyLen) != uint16(len(key)) {
				continue
			}
			if stored := unsafe.Slice((*byte)(unsafe.Add(n.base, uintptr(e)+layout.OffEntryKey)), len(key)); bytes.Equal(stored, key) {
				room := uintptr(len(key)+7) &^ 7
				return unsafe.Slice((*byte)(unsafe.Add(n.base, uintptr(e)+layout.OffEntryKey+room)), at[uint32](n, e, layout.OffEntryValueLen))
			}
		}
	}
	return nil
}

func (n *native) countFriends(id uint32, depth int) int {
	friends := n.lookup(uint64(id))
	total := len(friends)
	if depth == 1 {
		return total
	}
	for _, f := range friends {
		total += n.countFriends(f, depth-1)
	}
	return total
}

func BenchmarkLookupNative(b *testing.B) {
	s := openShard(b)
	answers := loadGraph(b, s)
	n := newNative(s)
	start := time.Now()
	for b.Loop() {
		if got := n.countFriends(0, 3); uint64(got) != answers[2] {
			b.Fatal(got)
		}
	}
	b.ReportMetric(float64(time.Since(start).Nanoseconds())/float64(n.lookups), "ns/lookup")
}
