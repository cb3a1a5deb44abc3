package wasm

import (
	"encoding/binary"
	"math"

	"github.com/tetratelabs/wazero/api"

	"shredder/store"
)

// batchFunctions are the host's part of the store's batch functions: fuel, kind
// of the keys, where they lie and how many, kind of the elements, …, where the
// results go (0: nowhere). They return the fuel left and a total.
var batchFunctions = map[string]hostFunction{
	"batchLengths": {"liiiii", "ll", hostBatchLengths},
	"batchSum":     {"liiiili", "ld", hostBatchSum},
	"batchConcat":  {"liiii", "ll", hostBatchConcat},
}

var elementSizes = [...]int{1, 1, 2, 2, 4, 4, 4, 8}

// number reads an element as a double.
func number(elem int, b []byte) float64 {
	switch elem {
	case 0:
		return float64(b[0])
	case 1:
		return float64(int8(b[0]))
	case 2:
		return float64(binary.LittleEndian.Uint16(b))
	case 3:
		return float64(int16(binary.LittleEndian.Uint16(b)))
	case 4:
		return float64(binary.LittleEndian.Uint32(b))
	case 5:
		return float64(int32(binary.LittleEndian.Uint32(b)))
	case 6:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(b))
}

// numberKey is a number as a key.
func (i *Instance) numberKey(f float64) store.Key {
	if f >= 0 && f <= maxSafe && f == math.Trunc(f) {
		return store.IntKey(uint64(f))
	}
	return store.BytesKey(appendNumber(i.text[:0], f))
}

// eachKey visits the values of a list of keys and returns the fuel left; below
// 0 the call has ended. It yields between keys when slices end.
func (i *Instance) eachKey(left int64, elem int, list []byte, visit func(n int, value []byte, found bool)) int64 {
	size := elementSizes[elem]
	count := len(list) / size
	for n := range count {
		if left--; left < 0 {
			if left = i.meter.spent(left); left < 0 {
				return left
			}
		}
		e, r := i.overlay.Get(i.numberKey(number(elem, list[n*size:])))
		if r != store.OK && r != store.Missing {
			i.refuse(r)
			return -1
		}
		if elem != 4 {
			i.lookups++
		}
		visit(n, e.Value, r == store.OK)
	}
	if elem == 4 { // tier 0 counts these when it has seen all
		i.lookups += uint64(count)
	}
	return left
}

// list is the memory of a list of keys.
func (i *Instance) list(elem int, address, n uint64) []byte {
	return i.bytes(address, uint64(uint32(n))*uint64(elementSizes[elem]))
}

// hostBatchLengths sums how many elements the values have, or writes their
// sizes in bytes, −1 for a missing key.
func hostBatchLengths(i *Instance, s []uint64) {
	elem, size := int(uint32(s[1])), elementSizes[uint32(s[4])]
	list := i.list(elem, s[2], s[3])
	out := i.bytes(s[5], 4*uint64(uint32(s[3])))
	isList := uint32(s[5]) != 0
	total := 0
	left := i.eachKey(int64(s[0]), elem, list, func(n int, b []byte, found bool) {
		switch {
		case isList && found:
			binary.LittleEndian.PutUint32(out[4*n:], uint32(len(b)))
		case isList:
			binary.LittleEndian.PutUint32(out[4*n:], ^uint32(0))
		default:
			total += len(b) / size
		}
	})
	s[0], s[1] = uint64(left), uint64(total)
}

// hostBatchSum sums one element of each value, or writes them, NaN for one that
// is missing.
func hostBatchSum(i *Instance, s []uint64) {
	keys, elem, index := int(uint32(s[1])), int(uint32(s[4])), int(min(s[5], math.MaxInt32))
	size := elementSizes[elem]
	list := i.list(keys, s[2], s[3])
	out := i.bytes(s[6], 8*uint64(uint32(s[3])))
	isList := uint32(s[6]) != 0
	total := 0.0
	left := i.eachKey(int64(s[0]), keys, list, func(n int, b []byte, found bool) {
		f := math.NaN()
		if found && index < len(b)/size {
			i.read += uint64(size)
			f = number(elem, b[index*size:])
			total += f
		}
		if isList {
			binary.LittleEndian.PutUint64(out[8*n:], math.Float64bits(f))
		}
	})
	s[0], s[1] = uint64(left), api.EncodeF64(total)
}

// oddLength is the result of concat when a value has no whole number of elements.
const oddLength = ^uint64(1)

// hostBatchConcat makes one array of all values' bytes.
func hostBatchConcat(i *Instance, s []uint64) {
	keys, size := int(uint32(s[1])), elementSizes[uint32(s[4])]
	total, odd := 0, false
	i.values = i.values[:0]
	left := i.eachKey(int64(s[0]), keys, i.list(keys, s[2], s[3]), func(_ int, b []byte, found bool) {
		odd = odd || len(b)%size != 0
		total += len(b)
		i.values = append(i.values, b)
	})
	s[0], s[1] = uint64(left), oddLength
	if odd || left < 0 {
		return
	}
	i.read += uint64(total)
	out, address := i.alloc(total)
	if out == nil && total > 0 {
		s[1] = noScratch
		return
	}
	at := 0
	for _, b := range i.values {
		at += copy(out[at:], b)
		if left >= 0 {
			left = i.meter.work(left, int64(len(b)))
		}
	}
	s[0], s[1] = uint64(left), packed(address, uint32(total))
}
