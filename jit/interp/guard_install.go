package interp

import "github.com/dop251/goja"

// guardNames says which functions of which object get which guard.
type guardGroup struct {
	names []string
	guard charge
}

// installGuards puts in place what the program can reach.
func installGuards(r *Runtime) {
	g := &guards{originals: map[string]*goja.Object{}, twins: map[*goja.Object]*goja.Object{}, all: r.program.computes.Load()}
	r.guards = g
	if r.program.names.computed && !g.all && !r.program.names.dynamic {
		r.capture()
	}
	r.placeGuards()
}

// placeGuards puts in place those wanted guards that are not yet.
func (r *Runtime) placeGuards() {
	g := r.guards
	if r.anyWanted("JSON") && r.first(nil, "JSON") {
		json := r.js.GlobalObject().Get("JSON").(*goja.Object)
		g.jsonParse = nativeOf(json.Get("parse"))
		_ = json.Set("stringify", r.native(r.stringify))
		r.guardMethod(json, "parse", func(r *Runtime, call goja.FunctionCall) {
			if s, ok := call.Argument(0).(goja.String); ok {
				r.checkJSON(s.String())
			} else if _, ok := call.Argument(0).(*goja.Object); ok {
				panic(r.js.NewTypeError("JSON.parse wants a string"))
			}
		})
	}
	r.installArrayGuards()
	r.installIteratorGuards()
	r.installStringGuards()
	r.installObjectGuards()
	r.installConstructors()
	r.installCodeGuards()
}

func nativeOf(v goja.Value) func(goja.FunctionCall) goja.Value {
	o, ok := v.(*goja.Object)
	if !ok {
		return nil
	}
	f, _ := o.Export().(func(goja.FunctionCall) goja.Value)
	return f
}

// prototype returns Constructor.prototype of an intrinsic.
func (r *Runtime) prototype(name string) *goja.Object {
	return r.intrinsic(name).Get("prototype").(*goja.Object)
}

// guardMethod wraps a method if the program can reach it and it exists.
func (r *Runtime) guardMethod(o *goja.Object, name string, c charge) {
	r.replaceMethod(o, name, func(r *Runtime, original func(goja.FunctionCall) goja.Value) func(goja.FunctionCall) goja.Value {
		return func(call goja.FunctionCall) goja.Value {
			c(r, call)
			return original(call)
		}
	})
}

func (r *Runtime) replaceMethod(o *goja.Object, name string, make replacement) {
	if !r.anyWanted(name) {
		return
	}
	original := nativeOf(o.Get(name))
	if original == nil || !r.first(o, name) {
		return
	}
	guarded := r.named(name, make(r, original))
	_ = o.DefineDataProperty(name, guarded, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
	if twin := r.guards.twins[o]; twin != nil {
		_ = twin.DefineDataProperty(name, guarded, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
	}
}

func (r *Runtime) named(name string, f func(goja.FunctionCall) goja.Value) *goja.Object {
	o := r.native(f)
	_ = o.DefineDataProperty("name", r.js.ToValue(name), goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE)
	return o
}

func (r *Runtime) guardGroups(o *goja.Object, groups []guardGroup) {
	for _, g := range groups {
		for _, name := range g.names {
			r.guardMethod(o, name, g.guard)
		}
	}
}

// anyWanted says that the program can reach one of the names.
func (r *Runtime) anyWanted(names ...string) bool {
	for _, name := range names {
		if r.guards.all || r.program.names.wanted(name) {
			return true
		}
	}
	return false
}

// installCodeGuards closes the ways from text to code.
func (r *Runtime) installCodeGuards() {
	global := r.js.GlobalObject()
	if r.anyWanted("eval") && r.first(global, "eval") {
		_ = global.Set("eval", r.named("eval", r.closed))
	}
	if r.anyWanted("Function", "constructor") && r.first(nil, "Function") {
		r.closeConstructor("Function", r.prototype("Function"))
	}
	if r.program.names.generators && r.anyWanted("constructor") {
		if proto := r.iterator(generatorFunction); proto != nil && r.first(proto, "constructor") {
			r.closeConstructor("", proto)
		}
	}
	if !r.anyWanted("apply", "bind") {
		return
	}
	function := r.prototype("Function")
	r.guardMethod(function, "apply", func(r *Runtime, call goja.FunctionCall) {
		r.argumentList(call.Argument(1))
	})
	r.replaceMethod(function, "bind", guardBind)
}

// closeConstructor replaces the constructor that proto names by one that
// throws.
func (r *Runtime) closeConstructor(global string, proto *goja.Object) {
	closed := r.js.ToValue(func(goja.ConstructorCall) *goja.Object {
		r.closed(goja.FunctionCall{})
		return nil
	}).(*goja.Object)
	_ = closed.DefineDataProperty("prototype", proto, goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE)
	_ = proto.DefineDataProperty("constructor", closed, goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE)
	if global != "" {
		r.guards.originals[global] = r.intrinsic(global)
		_ = r.js.GlobalObject().Set(global, closed)
	}
}

// argumentList charges for arguments given as a list, whose length must not lie.
func (r *Runtime) argumentList(v goja.Value) {
	if goja.IsUndefined(v) || goja.IsNull(v) {
		return
	}
	o, ok := v.(*goja.Object)
	if !ok {
		return
	}
	if typedSlice(o) == nil && o.ClassName() != "Array" && o.ClassName() != "Arguments" {
		panic(r.js.NewTypeError("the argument list is an array"))
	}
	r.newElements(lengthOf(o), elementSize)
}

// largestBindDepth bounds functions bound of bound functions: calling one
// recurses in native code.
const largestBindDepth = 64

func guardBind(r *Runtime, original func(goja.FunctionCall) goja.Value) func(goja.FunctionCall) goja.Value {
	r.guards.bindDepth = goja.NewSymbol("bound")
	return func(call goja.FunctionCall) goja.Value {
		depth := int64(1)
		if this, ok := call.This.(*goja.Object); ok {
			if v := this.GetSymbol(r.guards.bindDepth); v != nil {
				depth = v.ToInteger() + 1
			}
		}
		if depth > largestBindDepth {
			panic(r.rangeError("a function is bound too many times"))
		}
		bound := original(call).(*goja.Object)
		_ = bound.DefineDataPropertySymbol(r.guards.bindDepth, intValue(depth), goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE)
		return bound
	}
}

// Prototypes that have no name.
const (
	arrayIterator = iota
	stringIterator
	generatorFunction
	iteratorCount
)

var iteratorPrograms = [iteratorCount]*goja.Program{
	goja.MustCompile("", "Object.getPrototypeOf([].values())", true),
	goja.MustCompile("", "Object.getPrototypeOf(''[Symbol.iterator]())", true),
	goja.MustCompile("", "Object.getPrototypeOf(function*(){})", true),
}

// findIterator calls the builtins themselves where it may run within a call:
// a program of its own would need room on the call stack.
func (r *Runtime) findIterator(which int) *goja.Object {
	switch which {
	case arrayIterator:
		a := r.js.NewArray()
		return nativeOf(a.Prototype().Get("values"))(goja.FunctionCall{This: a}).(*goja.Object).Prototype()
	case stringIterator:
		iterate := nativeOf(r.prototype("String").GetSymbol(goja.SymIterator))
		return iterate(goja.FunctionCall{This: r.js.ToValue("")}).(*goja.Object).Prototype()
	}
	proto, err := r.js.RunProgram(iteratorPrograms[which])
	if err != nil {
		return nil
	}
	return proto.(*goja.Object)
}

// iterator finds one of them, before the library can have changed the way.
func (r *Runtime) iterator(which int) *goja.Object {
	o := r.guards.walked[which]
	if o == nil {
		o = r.findIterator(which)
		r.guards.walked[which] = o
	}
	return o
}

// installIteratorGuards meters the native iterators whose length a program
// does not pay for by making elements one by one: spreading and destructuring
// run them in native code.
func (r *Runtime) installIteratorGuards() {
	if !r.program.names.spreads && !r.anyWanted("Symbol", "values", "keys", "entries", "from", "Set", "Map", "next", "fromEntries") {
		return
	}
	for _, which := range []int{arrayIterator, stringIterator} {
		o := r.iterator(which)
		if o == nil || !r.first(o, "next") {
			continue
		}
		next := nativeOf(o.Get("next"))
		_ = o.DefineDataProperty("next", r.named("next", func(call goja.FunctionCall) goja.Value {
			r.meter.scratch -= elementSize
			r.meter.burn(1)
			return next(call)
		}), goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
	}
}

// installObjectGuards charges for listing properties, by what came out; what
// has elements is charged beforehand.
func (r *Runtime) installObjectGuards() {
	if !r.anyWanted("Object", "constructor", "Reflect") {
		return
	}
	o := r.intrinsic("Object")
	for _, name := range []string{"keys", "values", "entries", "getOwnPropertyNames", "getOwnPropertyDescriptors", "fromEntries", "assign", "freeze", "seal", "isFrozen", "isSealed"} {
		r.replaceMethod(o, name, func(r *Runtime, original func(goja.FunctionCall) goja.Value) func(goja.FunctionCall) goja.Value {
			return func(call goja.FunctionCall) goja.Value {
				for _, a := range call.Arguments {
					r.newElements(extent(a), 4*elementSize)
				}
				result := original(call)
				if list, ok := result.(*goja.Object); ok {
					if list.ClassName() == "Array" {
						r.elements(lengthOf(list), 4)
					} else {
						r.elements(int64(len(list.GetOwnPropertyNames())), 1)
					}
				}
				return result
			}
		})
	}
	if r.anyWanted("Reflect") {
		reflect := r.js.GlobalObject().Get("Reflect").(*goja.Object)
		r.guardMethod(reflect, "apply", func(r *Runtime, call goja.FunctionCall) { r.argumentList(call.Argument(2)) })
		r.guardMethod(reflect, "construct", func(r *Runtime, call goja.FunctionCall) { r.argumentList(call.Argument(1)) })
		r.guardMethod(reflect, "ownKeys", func(r *Runtime, call goja.FunctionCall) { r.newElements(extent(call.Argument(0)), 4*elementSize) })
	}
}
