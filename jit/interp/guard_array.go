package interp

import (
	"math"
	"math/bits"
	"strconv"

	"github.com/dop251/goja"
)

// wholeArray are methods that go over the receiver once.
var wholeArray = []string{"copyWithin", "fill", "indexOf", "lastIndexOf", "includes", "reverse", "shift", "unshift", "forEach", "map", "filter",
	"reduce", "reduceRight", "some", "every", "find", "findIndex", "findLast", "findLastIndex", "flatMap", "set"}

// copyingArray are methods that make another array of that size.
var copyingArray = []string{"slice", "splice", "toReversed", "toSpliced", "with", "concat"}

var sortingArray = []string{"sort", "toSorted"}

func (r *Runtime) installArrayGuards() {
	proto := r.js.NewArray().Prototype()
	r.arrayMethods(proto)
	r.replaceMethod(proto, "flat", func(r *Runtime, _ func(goja.FunctionCall) goja.Value) func(goja.FunctionCall) goja.Value {
		return r.flat
	})
	join := r.named("join", r.join)
	text := r.named("toString", func(call goja.FunctionCall) goja.Value { return r.join(goja.FunctionCall{This: call.This}) })
	texts := map[string]*goja.Object{"join": join, "toString": text, "toLocaleString": text}
	if !r.first(proto, "join") {
		texts = nil
	}
	for name, f := range texts {
		// Converting to a string is implicit, so these are always replaced.
		_ = proto.DefineDataProperty(name, f, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
	}
	if r.anyWanted("Array", "constructor") {
		r.guardMethod(r.intrinsic("Array"), "from", guardFrom)
	}
	if !r.typedWanted() || !r.typedMethods() {
		return
	}
	typed := r.prototype("Uint8Array").Prototype()
	r.arrayMethods(typed)
	for name, f := range map[string]*goja.Object{"join": join, "toString": text, "toLocaleString": text} {
		if r.anyWanted(name) && r.first(typed, name) {
			_ = typed.DefineDataProperty(name, f, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
		}
	}
	r.guardMethod(r.intrinsic("Uint8Array").Prototype(), "from", guardFrom)
}

// typedWanted says that typed arrays can occur: the program names one or reads
// a view from the store.
func (r *Runtime) typedWanted() bool {
	if r.program.names.dynamic || r.guards.all || r.anyWanted("ArrayBuffer", "Uint8ClampedArray", "getMany", "lengths", "gather") {
		return true
	}
	for k := range kindArrays {
		if r.anyWanted(kindArrays[k], kindNames[k]) {
			return true
		}
	}
	return r.anyWanted("get", "concat") && r.anyWanted("store")
}

// typedMethods says that a method of typed arrays can be reached at all.
func (r *Runtime) typedMethods() bool {
	return r.anyWanted(wholeArray...) || r.anyWanted(copyingArray...) || r.anyWanted(sortingArray...) || r.anyWanted("join", "toString", "toLocaleString", "from")
}

func (r *Runtime) arrayMethods(proto *goja.Object) {
	r.guardGroups(proto, []guardGroup{
		{wholeArray, func(r *Runtime, call goja.FunctionCall) {
			r.realReceiver(call.This, 1)
			r.elements(extent(call.Argument(0)), 1)
		}},
		{copyingArray, func(r *Runtime, call goja.FunctionCall) {
			r.realReceiver(call.This, 1)
			n := lengthOfReceiver(call.This)
			for _, a := range call.Arguments {
				n += extentOfArray(a)
			}
			r.newElements(n, elementSize)
		}},
		{sortingArray, func(r *Runtime, call goja.FunctionCall) {
			n := lengthOfReceiver(call.This)
			r.realReceiver(call.This, int64(bits.Len64(uint64(n)))*4)
		}},
		{[]string{"push"}, func(r *Runtime, call goja.FunctionCall) { r.newElements(int64(len(call.Arguments)), elementSize) }},
	})
}

func lengthOfReceiver(this goja.Value) int64 {
	if o, ok := this.(*goja.Object); ok {
		return lengthOf(o)
	}
	return extent(this)
}

func extentOfArray(v goja.Value) int64 {
	o, ok := v.(*goja.Object)
	if !ok {
		return 0
	}
	return lengthOf(o)
}

// guardFrom charges for Array.from and its kin. An object with a length and no
// iterator is taken by its length once; an accessor there could give another
// one the second time.
func guardFrom(r *Runtime, call goja.FunctionCall) {
	o, ok := call.Argument(0).(*goja.Object)
	if !ok || lengthOf(o) > 0 {
		r.newElements(extent(call.Argument(0)), elementSize)
		return
	}
	if it := o.GetSymbol(goja.SymIterator); it != nil && !goja.IsUndefined(it) {
		return // metered step by step
	}
	length := o.Get("length")
	if length == nil || goja.IsUndefined(length) {
		return
	}
	get := nativeOf(r.intrinsic("Object").Get("getOwnPropertyDescriptor"))
	d, ok := get(goja.FunctionCall{This: undefined, Arguments: []goja.Value{o, r.js.ToValue("length")}}).(*goja.Object)
	if !ok || d.Get("value") == nil {
		panic(r.js.NewTypeError("the length is a plain property"))
	}
	if _, isObject := d.Get("value").(*goja.Object); isObject {
		panic(r.js.NewTypeError("the length is a number"))
	}
	f := d.Get("value").ToFloat()
	if f >= 1 {
		r.newElements(int64(math.Min(f, 1<<53)), elementSize)
	}
}

// largestJoinDepth bounds arrays in arrays when they become text.
const largestJoinDepth = 64

// join is Array.prototype.join and, without a separator, toString. goja's own
// goes over nested arrays in native code: one that holds itself twice at every
// level takes exponential time.
func (r *Runtime) join(call goja.FunctionCall) goja.Value {
	o, ok := call.This.(*goja.Object)
	if !ok {
		panic(r.js.NewTypeError("join wants an array"))
	}
	r.realReceiver(o, 1)
	g := r.guards
	for _, j := range g.joining {
		if j == o {
			return r.js.ToValue("")
		}
	}
	if len(g.joining) >= largestJoinDepth {
		panic(r.rangeError("arrays are nested too deeply"))
	}
	separator := ","
	if s := call.Argument(0); !goja.IsUndefined(s) {
		separator = s.String()
	}
	g.joining = append(g.joining, o)
	defer func() { g.joining = g.joining[:len(g.joining)-1] }()
	var parts goja.StringBuilder
	for i, n := int64(0), lengthOf(o); i < n; i++ {
		r.meter.burn(1)
		if i > 0 && separator != "" {
			r.meter.grow(int64(len(separator)))
			parts.WriteString(r.js.ToValue(separator).(goja.String))
		}
		v := o.Get(strconv.FormatInt(i, 10))
		if v == nil || goja.IsUndefined(v) || goja.IsNull(v) {
			continue
		}
		text, ok := v.ToString().(goja.String)
		if !ok {
			text = r.js.ToValue(v.String()).(goja.String)
		}
		r.meter.grow(int64(text.Length()))
		parts.WriteString(text)
	}
	return parts.String()
}

// flat is Array.prototype.flat, metered by element.
func (r *Runtime) flat(call goja.FunctionCall) goja.Value {
	o, ok := call.This.(*goja.Object)
	if !ok || o.ClassName() != "Array" {
		panic(r.js.NewTypeError("flat wants an array"))
	}
	depth := 1.0
	if d := call.Argument(0); !goja.IsUndefined(d) {
		depth = d.ToFloat()
	}
	var out []any
	out = r.flatten(out, o, depth, 0)
	return r.js.NewArray(out...)
}

func (r *Runtime) flatten(out []any, o *goja.Object, depth float64, level int) []any {
	if level > largestJoinDepth {
		panic(r.rangeError("arrays are nested too deeply"))
	}
	for i, n := int64(0), lengthOf(o); i < n; i++ {
		r.meter.scratch -= elementSize
		r.meter.burn(1)
		v := o.Get(strconv.FormatInt(i, 10))
		if v == nil {
			continue
		}
		if a, ok := v.(*goja.Object); ok && depth >= 1 && a.ClassName() == "Array" {
			out = r.flatten(out, a, depth-1, level+1)
			continue
		}
		out = append(out, v)
	}
	return out
}
