package interp

import (
	"encoding/binary"
	"math"
	"strconv"

	"github.com/dop251/goja"

	"shredder/store"
)

// The batch functions take a list of keys: a typed array, whose elements are
// integer keys, an array of any keys, or one key whose value holds integer keys
// as u32, which saves making a view of it. Each key burns one unit and counts
// as one lookup.

// eachKey calls visit with every key's value, in order. It yields between keys
// when slices end.
func (r *Runtime) eachKey(keys goja.Value, visit func(i int, value []byte, found bool)) int {
	o, ok := keys.(*goja.Object)
	if !ok {
		return r.eachStored(r.storedKeys(keys), visit)
	}
	if r.inv == nil {
		r.lookup(keys)
	}
	switch s := typedSlice(o).(type) {
	case []uint32:
		for i, n := range s {
			r.meter.burn(1)
			value, found := r.lookupKey(store.IntKey(uint64(n)))
			visit(i, value, found)
		}
		r.inv.Cost.Lookups += uint64(len(s))
		return len(s)
	case []uint16:
		return eachInteger(r, s, visit)
	case []uint8:
		return eachInteger(r, s, visit)
	case []int32:
		return eachInteger(r, s, visit)
	}
	if o.ClassName() != "Array" && typedSlice(o) == nil {
		panic(r.js.NewTypeError("the keys are an array or a typed array"))
	}
	n := int(min(o.Get("length").ToInteger(), math.MaxInt32))
	for i := 0; i < n; i++ {
		r.meter.burn(1)
		v := o.Get(strconv.Itoa(i))
		if v == nil {
			v = undefined
		}
		value, found := r.lookup(v)
		visit(i, value, found)
	}
	return n
}

// storedKeys reads the value of a key as a list of keys; none if it is missing.
func (r *Runtime) storedKeys(key goja.Value) []byte {
	b, _ := r.lookup(key)
	if len(b)%4 != 0 {
		panic(r.rangeError("the value's length is no multiple of the element size of u32"))
	}
	r.read(len(b))
	return b
}

func (r *Runtime) eachStored(list []byte, visit func(i int, value []byte, found bool)) int {
	n := len(list) / 4
	for i := range n {
		r.meter.burn(1)
		value, found := r.lookupKey(store.IntKey(uint64(binary.LittleEndian.Uint32(list[4*i:]))))
		visit(i, value, found)
	}
	r.inv.Cost.Lookups += uint64(n)
	return n
}

func eachInteger[E uint8 | uint16 | int32](r *Runtime, s []E, visit func(int, []byte, bool)) int {
	for i, n := range s {
		r.meter.burn(1)
		value, found := r.lookup(r.js.ToValue(int64(n)))
		visit(i, value, found)
	}
	return len(s)
}

// keyCount is how many keys a list has, for sizing a result.
func (r *Runtime) keyCount(keys goja.Value) int64 {
	o, ok := keys.(*goja.Object)
	if !ok {
		n := int64(len(r.storedKeys(keys)) / 4)
		r.inv.Cost.Lookups-- // eachKey looks it up again
		r.inv.Cost.BytesRead -= uint64(4 * n)
		return n
	}
	return lengthOf(o)
}

// storeGetMany: keys → array of Uint8Array, undefined where a key is missing.
func (r *Runtime) storeGetMany(call goja.FunctionCall) goja.Value {
	n := r.keyCount(call.Argument(0))
	r.meter.grow(n * 16)
	values := make([]any, 0, n)
	r.eachKey(call.Argument(0), func(_ int, b []byte, found bool) {
		if !found {
			values = append(values, undefined)
			return
		}
		r.read(len(b))
		values = append(values, r.view(kindU8, b))
	})
	return r.js.NewArray(values...)
}

// storeConcat: kind, keys → one typed array of all the elements of all the values, in
// the order of the keys; missing keys have none. From a list of nodes it makes the list
// of their neighbours.
func (r *Runtime) storeConcat(call goja.FunctionCall) goja.Value {
	k := r.kindArgument(call.Argument(0))
	total := 0
	values := r.values[:0]
	r.eachKey(call.Argument(1), func(_ int, b []byte, found bool) {
		if found {
			r.whole(k, b)
			total += len(b)
			values = append(values, b)
		}
	})
	r.read(total)
	out := r.room(total)
	for _, b := range values {
		out = r.appendValue(out, b)
	}
	if cap(values) <= maxKeptValues {
		r.values = values
	}
	return r.adopt(k, out)
}

// maxKeptValues is how much room for values a runtime keeps between calls.
const maxKeptValues = 1024

// storeLengths: keys → Int32Array of sizes in bytes, −1 where a key is missing.
func (r *Runtime) storeLengths(call goja.FunctionCall) goja.Value {
	n := r.keyCount(call.Argument(0))
	r.meter.grow(n * 4)
	out := make([]byte, n*4)
	r.eachKey(call.Argument(0), func(i int, b []byte, found bool) {
		size := int32(-1)
		if found {
			size = int32(len(b))
		}
		if i < int(n) {
			binary.LittleEndian.PutUint32(out[i*4:], uint32(size))
		}
	})
	return r.adopt(kindI32, out)
}

// kindArgument reads the name of an element kind.
func (r *Runtime) kindArgument(v goja.Value) kind {
	if s, ok := v.(goja.String); ok {
		text := s.String()
		for k, name := range kindNames {
			if name == text {
				return kind(k)
			}
		}
	}
	panic(r.js.NewTypeError("the kind is one of 'u8' 'i8' 'u16' 'i16' 'u32' 'i32' 'f32' 'f64'"))
}

// storeSumLengths: kind, keys → how many elements of that kind all the values
// have together; missing keys have none.
func (r *Runtime) storeSumLengths(call goja.FunctionCall) goja.Value {
	size := kindSizes[r.kindArgument(call.Argument(0))]
	total := 0
	r.eachKey(call.Argument(1), func(_ int, b []byte, found bool) {
		if found {
			total += len(b) / size
		}
	})
	return intValue(int64(total))
}

// gatherEach reads one element of each value.
func (r *Runtime) gatherEach(call goja.FunctionCall, visit func(i int, f float64, found bool)) {
	k := r.kindArgument(call.Argument(0))
	size := kindSizes[k]
	index := 0
	if v := call.Argument(2); !goja.IsUndefined(v) {
		index = int(min(r.wholeNumber(v, "index"), math.MaxInt32))
	}
	r.eachKey(call.Argument(1), func(i int, b []byte, found bool) {
		if !found || index >= len(b)/size {
			visit(i, math.NaN(), false)
			return
		}
		r.read(size)
		visit(i, number(k, b[index*size:]), true)
	})
}

// storeGather: kind, keys, index → Float64Array of that element of each value,
// NaN where the key or the element is missing.
func (r *Runtime) storeGather(call goja.FunctionCall) goja.Value {
	n := r.keyCount(call.Argument(1))
	r.meter.grow(n * 8)
	out := make([]byte, n*8)
	r.gatherEach(call, func(i int, f float64, _ bool) {
		if i < int(n) {
			binary.LittleEndian.PutUint64(out[i*8:], math.Float64bits(f))
		}
	})
	return r.adopt(kindF64, out)
}

// storeSum: kind, keys, index → sum of that element over the values that have it.
func (r *Runtime) storeSum(call goja.FunctionCall) goja.Value {
	total := 0.0
	r.gatherEach(call, func(_ int, f float64, found bool) {
		if found {
			total += f
		}
	})
	if total == math.Trunc(total) && math.Abs(total) <= maxIntKey {
		return intValue(int64(total))
	}
	return floatValue(total)
}

func number(k kind, b []byte) float64 {
	switch k {
	case kindU8:
		return float64(b[0])
	case kindI8:
		return float64(int8(b[0]))
	case kindU16:
		return float64(binary.LittleEndian.Uint16(b))
	case kindI16:
		return float64(int16(binary.LittleEndian.Uint16(b)))
	case kindU32:
		return float64(binary.LittleEndian.Uint32(b))
	case kindI32:
		return float64(int32(binary.LittleEndian.Uint32(b)))
	case kindF32:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(b))
}
