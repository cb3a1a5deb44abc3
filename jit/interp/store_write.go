package interp

import (
	"strings"

	"github.com/dop251/goja"

	"shredder/store"
)

// writing prepares for a change: lookups go through the overlay from now on,
// and what was remembered is old.
func (r *Runtime) writing() {
	if r.inv == nil {
		panic(r.js.NewTypeError("the store can be used inside a call only, not at the top level"))
	}
	r.clean = false
	r.epoch++
}

// valueBytes converts a value to be set: text as UTF-8, numbers as decimal
// text, buffers and views as their bytes. Borrowed.
func (r *Runtime) valueBytes(v goja.Value) []byte {
	switch {
	case goja.IsString(v):
		r.meter.grow(stringLength(v))
		return []byte(strings.ToValidUTF8(v.String(), "\uFFFD"))
	case goja.IsNumber(v), goja.IsBigInt(v):
		return []byte(v.String())
	}
	if o, ok := v.(*goja.Object); ok {
		if b, ok := r.bufferBytes(o); ok {
			r.meter.grow(int64(len(b)))
			return b
		}
	}
	panic(r.js.NewTypeError("a value is a string, a number, a BigInt or bytes: use JSON.stringify for objects"))
}

func (r *Runtime) storeSet(call goja.FunctionCall) goja.Value {
	value := r.valueBytes(call.Argument(1))
	o := r.setOptions(call.Argument(2))
	r.key(call.Argument(0)) // an exception for a bad key comes first
	k := r.key(call.Argument(0))
	r.writing()
	version, res := r.overlay.Set(k, value, o)
	switch res {
	case store.OK:
		return intValue(int64(version))
	case store.Conflict:
		return falseValue
	}
	r.refuse(res)
	return nil
}

// setOptions reads {ttl, ifVersion}: milliseconds, and the version the key
// must have (0: absent).
func (r *Runtime) setOptions(v goja.Value) (o store.SetOptions) {
	if goja.IsUndefined(v) {
		return o
	}
	object, ok := v.(*goja.Object)
	if !ok {
		panic(r.js.NewTypeError("the options are an object {ttl, ifVersion}"))
	}
	if ttl := object.Get("ttl"); ttl != nil && !goja.IsUndefined(ttl) {
		millis := r.wholeNumber(ttl, "ttl")
		if millis < 1 {
			panic(r.rangeError("ttl is at least 1 ms"))
		}
		o.ExpireMillis = r.nowMillis + millis
	}
	if version := object.Get("ifVersion"); version != nil && !goja.IsUndefined(version) {
		o.IfVersion, o.HasIfVersion = uint64(r.wholeNumber(version, "ifVersion")), true
	}
	return o
}

// wholeNumber wants an integer in [0, 2^53).
func (r *Runtime) wholeNumber(v goja.Value, what string) int64 {
	if typeOf(v) == intType || isIndex(v) {
		if n := v.ToInteger(); n >= 0 && n <= maxIntKey {
			return n
		}
	}
	panic(r.js.NewTypeError(what + " is a whole number from 0 to 2^53−1"))
}

func (r *Runtime) storeDelete(call goja.FunctionCall) goja.Value {
	o := r.setOptions(call.Argument(1))
	k := r.key(call.Argument(0))
	r.writing()
	_, res := r.overlay.Delete(k, o.IfVersion, o.HasIfVersion)
	switch res {
	case store.OK:
		return trueValue
	case store.Missing, store.Conflict:
		return falseValue
	}
	r.refuse(res)
	return nil
}

func (r *Runtime) storeIncr(call goja.FunctionCall) goja.Value {
	delta := int64(1)
	if d := call.Argument(1); !goja.IsUndefined(d) {
		if typeOf(d) != intType && !isIndex(d) {
			panic(r.js.NewTypeError("incr wants a whole number"))
		}
		delta = d.ToInteger()
	}
	k := r.key(call.Argument(0))
	r.writing()
	n, _, res := r.overlay.Incr(k, delta)
	switch res {
	case store.OK:
		if n > maxIntKey || n < -maxIntKey {
			panic(r.rangeError("incr: the sum is beyond 2^53"))
		}
		return r.js.ToValue(n)
	case store.NotInteger:
		panic(r.js.NewTypeError("incr: the value is not an integer in decimal text"))
	case store.Overflow:
		panic(r.rangeError("incr: the sum leaves the 64-bit range"))
	}
	r.refuse(res)
	return nil
}

// scanLimit is the most keys one scan returns.
const scanLimit = 1024

// storeScan returns {cursor, keys}: integer keys as numbers, others as text.
func (r *Runtime) storeScan(call goja.FunctionCall) goja.Value {
	if r.inv == nil {
		r.writing()
	}
	cursor, limit := uint64(0), int64(100)
	if c := call.Argument(0); !goja.IsUndefined(c) {
		cursor = parseCursor(r, c)
	}
	if l := call.Argument(1); !goja.IsUndefined(l) {
		limit = r.wholeNumber(l, "limit")
		if limit < 1 || limit > scanLimit {
			panic(r.rangeError("scan returns 1 to 1024 keys"))
		}
	}
	keys := make([]any, 0, limit)
	next, res := r.overlay.Scan(cursor, int(limit), func(k store.Key, _ store.Entry) bool {
		if k.Bytes == nil {
			keys = append(keys, intValue(int64(k.Int)))
		} else {
			keys = append(keys, string(k.Bytes))
		}
		return true
	})
	if res != store.OK {
		r.refuse(res)
	}
	r.inv.Cost.Lookups += uint64(len(keys))
	r.meter.burn(1 + int64(len(keys)))
	o := r.js.NewObject()
	_ = o.Set("cursor", uintText(next))
	_ = o.Set("keys", r.js.NewArray(keys...))
	return o
}

// parseCursor takes a cursor as scan returns it, decimal text; 0 begins.
func parseCursor(r *Runtime, v goja.Value) uint64 {
	var n uint64
	s := v.String()
	for _, c := range []byte(s) {
		if c < '0' || c > '9' || len(s) > 20 {
			panic(r.js.NewTypeError("a cursor is what scan returned, or 0"))
		}
		n = n*10 + uint64(c-'0')
	}
	return n
}
