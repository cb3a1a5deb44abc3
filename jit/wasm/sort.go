package wasm

import (
	"encoding/binary"
	"math"
	"slices"
)

// hostSort sorts the elements of a typed array in place, by value: −0 before
// 0, NaN last, as %TypedArray%.prototype.sort does.
func hostSort(i *Instance, s []uint64) {
	n, kind := uint64(uint32(s[1])), uint32(s[2])
	shift := [...]uint{0, 0, 1, 1, 2, 2, 2, 3}[kind&7]
	b := i.bytes(s[0], n<<shift)
	width := 1 << shift
	keys := make([]uint64, len(b)/width)
	for j := range keys {
		keys[j] = sortKey(b[j*width:], kind)
	}
	slices.Sort(keys)
	for j, k := range keys {
		putSortKey(b[j*width:], kind, k)
	}
}

// sortKey maps an element to an integer in the order of the elements.
func sortKey(b []byte, kind uint32) uint64 {
	switch kind {
	case 0:
		return uint64(b[0])
	case 1:
		return uint64(b[0] ^ 0x80)
	case 2:
		return uint64(binary.LittleEndian.Uint16(b))
	case 3:
		return uint64(binary.LittleEndian.Uint16(b) ^ 0x8000)
	case 4:
		return uint64(binary.LittleEndian.Uint32(b))
	case 5:
		return uint64(binary.LittleEndian.Uint32(b) ^ 1<<31)
	case 6:
		x := binary.LittleEndian.Uint32(b)
		if f := math.Float32frombits(x); f != f {
			return math.MaxUint32
		}
		if x>>31 != 0 {
			return uint64(^x)
		}
		return uint64(x | 1<<31)
	}
	x := binary.LittleEndian.Uint64(b)
	if f := math.Float64frombits(x); f != f {
		return math.MaxUint64
	}
	if x>>63 != 0 {
		return ^x
	}
	return x | 1<<63
}

func putSortKey(b []byte, kind uint32, k uint64) {
	switch kind {
	case 0:
		b[0] = byte(k)
	case 1:
		b[0] = byte(k) ^ 0x80
	case 2:
		binary.LittleEndian.PutUint16(b, uint16(k))
	case 3:
		binary.LittleEndian.PutUint16(b, uint16(k)^0x8000)
	case 4:
		binary.LittleEndian.PutUint32(b, uint32(k))
	case 5:
		binary.LittleEndian.PutUint32(b, uint32(k)^1<<31)
	case 6:
		x := uint32(k)
		switch {
		case x == math.MaxUint32:
			x = math.Float32bits(float32(math.NaN()))
		case x>>31 != 0:
			x &^= 1 << 31
		default:
			x = ^x
		}
		binary.LittleEndian.PutUint32(b, x)
	default:
		switch {
		case k == math.MaxUint64:
			k = math.Float64bits(math.NaN())
		case k>>63 != 0:
			k &^= 1 << 63
		default:
			k = ^k
		}
		binary.LittleEndian.PutUint64(b, k)
	}
}
