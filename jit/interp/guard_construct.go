package interp

import (
	"github.com/dop251/goja"
)

// installConstructors replaces the constructors whose argument is a size.
func (r *Runtime) installConstructors() {
	r.guardConstructor("Array", func(r *Runtime, args []goja.Value) {
		if len(args) == 1 && goja.IsNumber(args[0]) {
			r.newElements(args[0].ToInteger(), elementSize)
		}
	})
	for i, name := range kindArrays {
		r.guardTyped(name, int64(kindSizes[i]))
	}
	r.guardTyped("Uint8ClampedArray", 1)
	r.guardConstructor("ArrayBuffer", func(r *Runtime, args []goja.Value) {
		if len(args) > 0 {
			r.newElements(args[0].ToInteger(), 1)
		}
	})
	for _, name := range []string{"Set", "Map", "WeakSet", "WeakMap"} {
		r.guardConstructor(name, func(r *Runtime, args []goja.Value) {
			if len(args) > 0 {
				r.newElements(extent(args[0]), 4*elementSize)
			}
		})
	}
	r.guardConstructor("RegExp", func(r *Runtime, args []goja.Value) {
		if len(args) > 0 {
			r.pattern(args[0])
		}
	})
	if r.program.names.bigInt {
		r.guardTyped("BigInt64Array", 8)
		r.guardTyped("BigUint64Array", 8)
		r.installBigIntGuards()
	} else if r.anyWanted("DataView", "constructor") {
		// Without a BigInt in the program * and << are not watched: so none may
		// come out of a buffer either.
		view := r.prototype("DataView")
		for _, name := range []string{"getBigInt64", "getBigUint64"} {
			_ = view.Delete(name)
		}
	}
}

func (r *Runtime) guardTyped(name string, size int64) {
	r.guardConstructor(name, func(r *Runtime, args []goja.Value) {
		if len(args) == 0 {
			return
		}
		o, ok := args[0].(*goja.Object)
		if !ok {
			r.newElements(args[0].ToInteger(), size)
			return
		}
		if o.ExportType() != arrayBufferType {
			guardFrom(r, goja.FunctionCall{Arguments: args[:1]})
		}
	})
}

// guardConstructor replaces a global constructor, if the program can reach it
// by its name or through a prototype's constructor.
func (r *Runtime) guardConstructor(name string, guard func(*Runtime, []goja.Value)) {
	if !r.anyWanted(name, "constructor") || !r.first(nil, name) {
		return
	}
	original, ok := r.js.GlobalObject().Get(name).(*goja.Object)
	if !ok {
		return
	}
	construct, _ := goja.AssertConstructor(original)
	proto := original.Get("prototype").(*goja.Object)
	var replaced *goja.Object
	replaced = r.js.ToValue(func(call goja.ConstructorCall) *goja.Object {
		guard(r, call.Arguments)
		target := call.NewTarget
		if target == replaced {
			target = nil
		}
		o, err := construct(target, call.Arguments...)
		if err != nil {
			panic(err)
		}
		return o
	}).(*goja.Object)
	_ = replaced.DefineDataProperty("name", r.js.ToValue(name), goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE)
	_ = replaced.DefineDataProperty("prototype", proto, goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE)
	_ = replaced.SetPrototype(original.Prototype())
	for _, k := range original.GetOwnPropertyNames() {
		switch k {
		case "prototype", "name", "length":
		default:
			_ = replaced.DefineDataProperty(k, original.Get(k), goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
		}
	}
	_ = proto.DefineDataProperty("constructor", replaced, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
	r.guards.originals[name] = original
	r.guards.twins[original] = replaced
	_ = r.js.GlobalObject().Set(name, replaced)
}

func (r *Runtime) installBigIntGuards() {
	ctor := r.intrinsic("BigInt")
	bits := func(r *Runtime, call goja.FunctionCall) {
		if call.Argument(0).ToInteger() > largestBigInt {
			panic(r.rangeError("a BigInt is too large"))
		}
	}
	r.guardMethod(ctor, "asIntN", bits)
	r.guardMethod(ctor, "asUintN", bits)
	if !r.first(nil, "BigInt") {
		return
	}
	original := nativeOf(ctor)
	proto := ctor.Get("prototype").(*goja.Object)
	converted := r.named("BigInt", func(call goja.FunctionCall) goja.Value {
		if extent(call.Argument(0)) > largestBigInt/4 {
			panic(r.rangeError("a BigInt is too large"))
		}
		v := original(call)
		r.checkBigInt(v)
		return v
	})
	for _, k := range ctor.GetOwnPropertyNames() {
		if k != "name" && k != "length" {
			_ = converted.DefineDataProperty(k, ctor.Get(k), goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
		}
	}
	_ = proto.DefineDataProperty("constructor", converted, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
	_ = r.js.GlobalObject().Set("BigInt", converted)
}
