package interp

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/dop251/goja"

	"shredder/jit"
	"shredder/store"
)

// storeFunctions makes each function of store for one Runtime: the tenant, its
// shard and the element kind are fixed when it is made, so that a call looks
// nothing up but the key. They take goja.FunctionCall only: a function that
// goja wraps by reflection costs 120 to 540 ns a call instead of 26.
var storeFunctions = map[string]func(*Runtime) func(goja.FunctionCall) goja.Value{}

// storeNames are its keys in a fixed order.
var storeNames = []string{"get", "u8", "i8", "u16", "i16", "u32", "i32", "f32", "f64",
	"u8At", "i8At", "u16At", "i16At", "u32At", "i32At", "f32At", "f64At",
	"text", "json", "has", "size", "version", "set", "delete", "incr", "scan",
	"getMany", "concat", "lengths", "sumLengths", "gather", "sum"}

func init() {
	for k := range kindNames {
		k := kind(k)
		storeFunctions[kindNames[k]] = func(r *Runtime) func(goja.FunctionCall) goja.Value { return r.viewFunction(k) }
		storeFunctions[kindNames[k]+"At"] = func(r *Runtime) func(goja.FunctionCall) goja.Value { return r.scalarFunction(k) }
	}
	storeFunctions["get"] = storeFunctions["u8"]
	add := func(name string, f func(*Runtime, goja.FunctionCall) goja.Value) {
		storeFunctions[name] = func(r *Runtime) func(goja.FunctionCall) goja.Value {
			return func(call goja.FunctionCall) goja.Value { return f(r, call) }
		}
	}
	add("text", (*Runtime).storeText)
	add("json", (*Runtime).storeJSON)
	add("has", (*Runtime).storeHas)
	add("size", (*Runtime).storeSize)
	add("version", (*Runtime).storeVersion)
	add("set", (*Runtime).storeSet)
	add("delete", (*Runtime).storeDelete)
	add("incr", (*Runtime).storeIncr)
	add("scan", (*Runtime).storeScan)
	add("getMany", (*Runtime).storeGetMany)
	add("concat", (*Runtime).storeConcat)
	add("lengths", (*Runtime).storeLengths)
	add("sumLengths", (*Runtime).storeSumLengths)
	add("gather", (*Runtime).storeGather)
	add("sum", (*Runtime).storeSum)
}

// storeFunction makes a function of store once.
func (r *Runtime) storeFunction(name string) *goja.Object {
	f := r.bound[name]
	if f == nil {
		f = r.native(storeFunctions[name](r))
		r.bound[name] = f
	}
	return f
}

// foldedFunction is a function of store whose last argument is a burn.
func (r *Runtime) foldedFunction(name string) func(goja.FunctionCall) goja.Value {
	f := storeFunctions[name](r)
	return func(call goja.FunctionCall) goja.Value {
		last := len(call.Arguments) - 1
		r.meter.burn(call.Arguments[last].ToInteger())
		call.Arguments = call.Arguments[:last]
		return f(call)
	}
}

// recentEntry remembers a lookup of an integer key within one invocation, so
// that a loop of scalar reads over one value looks it up once. A write of the
// invocation makes all of them old (epoch).
type recentEntry struct {
	epoch uint64
	key   uint64
	found bool
	value []byte
}

// recentSize entries, direct-mapped by the key's low bits.
const recentSize = 16

// lookup finds the value of the key in v. The value is borrowed until the
// invocation ends. It counts as one lookup.
func (r *Runtime) lookup(v goja.Value) ([]byte, bool) {
	if r.inv == nil {
		panic(r.js.NewTypeError("the store can be used inside a call only, not at the top level"))
	}
	r.inv.Cost.Lookups++
	if typeOf(v) == intType {
		if n := v.ToInteger(); n >= 0 && n <= maxIntKey {
			return r.lookupInt(uint64(n))
		}
	}
	return r.lookupKey(r.key(v))
}

const maxIntKey = 1<<53 - 1

func (r *Runtime) lookupInt(n uint64) ([]byte, bool) {
	e := &r.recent[n%recentSize]
	if e.epoch == r.epoch && e.key == n {
		return e.value, e.found
	}
	value, found := r.lookupKey(store.IntKey(n))
	*e = recentEntry{r.epoch, n, found, value}
	return value, found
}

// lookupKey goes to the shard itself while nothing is written, which saves the
// overlay's own index.
func (r *Runtime) lookupKey(k store.Key) ([]byte, bool) {
	if r.clean {
		e, res := r.shard.Get(k, r.nowMillis)
		if res == store.OK {
			return e.Value, true
		}
		if res == store.Missing {
			return nil, false
		}
		r.refuse(res)
	}
	e, ok := r.entryOf(k)
	return e.Value, ok
}

func (r *Runtime) entryOf(k store.Key) (store.Entry, bool) {
	var e store.Entry
	var res store.Result
	if r.clean {
		e, res = r.shard.Get(k, r.nowMillis)
	} else {
		e, res = r.overlay.Get(k)
	}
	if res == store.OK {
		return e, true
	}
	if res != store.Missing {
		r.refuse(res)
	}
	return store.Entry{}, false
}

// refuse ends the invocation for a result that the function cannot handle.
func (r *Runtime) refuse(res store.Result) {
	switch res {
	case store.Corrupt:
		r.fail(jit.Corrupt, "the tenant's data is damaged")
	case store.Full:
		r.fail(jit.Full, "the tenant's quota or the server's memory is used up")
	case store.Limit:
		r.fail(jit.Limit, "the call writes more than its limit")
	case store.TooLarge:
		panic(r.rangeError("a value or key is too large"))
	}
	r.fail(jit.Corrupt, "the store failed")
}

// key converts a value to a key: numbers and strings by String(), bytes as
// they are. Bytes are borrowed until the next call of key.
func (r *Runtime) key(v goja.Value) store.Key {
	switch {
	case typeOf(v) == intType:
		if n := v.ToInteger(); n >= 0 && n <= maxIntKey {
			return store.IntKey(uint64(n))
		}
		r.keyBuf = append(r.keyBuf[:0], v.String()...)
	case typeOf(v) == floatType:
		if f := v.ToFloat(); f >= 0 && f <= maxIntKey && f == math.Trunc(f) {
			return store.IntKey(uint64(f))
		}
		r.keyBuf = append(r.keyBuf[:0], v.String()...)
	case goja.IsString(v), goja.IsBigInt(v):
		r.keyBuf = append(r.keyBuf[:0], v.String()...)
	default:
		o, ok := v.(*goja.Object)
		if !ok {
			panic(r.js.NewTypeError("a key is a number, a string or bytes"))
		}
		b, ok := r.bufferBytes(o)
		if !ok {
			panic(r.js.NewTypeError("a key is a number, a string or bytes"))
		}
		r.keyBuf = append(r.keyBuf[:0], b...)
	}
	k := store.BytesKey(r.keyBuf)
	if !k.Valid() {
		panic(r.rangeError("a key has 1 to 1024 bytes"))
	}
	return k
}

func (r *Runtime) read(n int) { r.inv.Cost.BytesRead += uint64(n) }

func (r *Runtime) viewFunction(k kind) func(goja.FunctionCall) goja.Value {
	return func(call goja.FunctionCall) goja.Value {
		b, ok := r.lookup(call.Argument(0))
		if !ok {
			return undefined
		}
		r.whole(k, b)
		r.read(len(b))
		return r.view(k, b)
	}
}

// whole throws unless b holds whole elements.
func (r *Runtime) whole(k kind, b []byte) {
	if len(b)%kindSizes[k] != 0 {
		panic(r.rangeError("the value's length is no multiple of the element size of " + kindNames[k]))
	}
}

func (r *Runtime) scalarFunction(k kind) func(goja.FunctionCall) goja.Value {
	size := kindSizes[k]
	return func(call goja.FunctionCall) goja.Value {
		if len(call.Arguments) < 2 {
			panic(r.js.NewTypeError(kindNames[k] + "At wants a key and an index"))
		}
		b, ok := r.lookup(call.Arguments[0])
		i := call.Arguments[1]
		if !ok || typeOf(i) != intType && !isIndex(i) {
			return undefined
		}
		n := int(i.ToInteger())
		if n < 0 || n >= len(b)/size {
			return undefined
		}
		r.read(size)
		return element(k, b[n*size:])
	}
}

// isIndex says that a float is an integer (2.0 made by arithmetic).
func isIndex(v goja.Value) bool {
	f := v.ToFloat()
	return typeOf(v) == floatType && f == math.Trunc(f)
}

func element(k kind, b []byte) goja.Value {
	switch k {
	case kindU8:
		return intValue(int64(b[0]))
	case kindI8:
		return intValue(int64(int8(b[0])))
	case kindU16:
		return intValue(int64(binary.LittleEndian.Uint16(b)))
	case kindI16:
		return intValue(int64(int16(binary.LittleEndian.Uint16(b))))
	case kindU32:
		return intValue(int64(binary.LittleEndian.Uint32(b)))
	case kindI32:
		return intValue(int64(int32(binary.LittleEndian.Uint32(b))))
	case kindF32:
		return floatValue(float64(math.Float32frombits(binary.LittleEndian.Uint32(b))))
	}
	return floatValue(math.Float64frombits(binary.LittleEndian.Uint64(b)))
}

func (r *Runtime) storeText(call goja.FunctionCall) goja.Value {
	b, ok := r.lookup(call.Argument(0))
	if !ok {
		return undefined
	}
	r.read(len(b))
	r.meter.grow(int64(len(b)))
	return r.js.ToValue(wellFormed(b))
}

// wellFormed is UTF-8 as text: each invalid byte becomes U+FFFD. goja would keep
// the bytes beside its own reading of them, and give them back as keys and values.
func wellFormed(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	return string([]rune(string(b)))
}

func (r *Runtime) storeJSON(call goja.FunctionCall) goja.Value {
	b, ok := r.lookup(call.Argument(0))
	if !ok {
		return undefined
	}
	r.read(len(b))
	return r.parseJSON(wellFormed(b))
}

func (r *Runtime) storeHas(call goja.FunctionCall) goja.Value {
	_, ok := r.lookup(call.Argument(0))
	return boolValue(ok)
}

func (r *Runtime) storeSize(call goja.FunctionCall) goja.Value {
	b, ok := r.lookup(call.Argument(0))
	if !ok {
		return undefined
	}
	return intValue(int64(len(b)))
}

func (r *Runtime) storeVersion(call goja.FunctionCall) goja.Value {
	if r.inv == nil {
		r.lookup(call.Argument(0))
	}
	r.inv.Cost.Lookups++
	e, ok := r.entryOf(r.key(call.Argument(0)))
	if !ok {
		return intValue(0)
	}
	return intValue(int64(e.Version))
}

// viewLength is the length of a typed view, or the exception for undefined.
func (r *Runtime) viewLength(call goja.FunctionCall) goja.Value {
	o, ok := call.Arguments[0].(*goja.Object)
	if !ok {
		panic(r.js.NewTypeError("Cannot read property 'length' of undefined"))
	}
	switch s := o.Export().(type) {
	case []uint8:
		return intValue(int64(len(s)))
	case []uint32:
		return intValue(int64(len(s)))
	case []int32:
		return intValue(int64(len(s)))
	case []float64:
		return intValue(int64(len(s)))
	}
	return intValue(lengthOf(o))
}
