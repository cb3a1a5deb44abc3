package interp

import (
	"sync"

	"github.com/dop251/goja"
)

// All guards of a runtime take 200 KB more than it needs otherwise. A program that names properties by
// values (o[k]) could reach every builtin, but seldom does: such names are
// looked at, and the first one that a builtin has puts all guards in place.
// Until then the program can have got hold of a builtin by its spelled name
// only, whose guard is there from the beginning. That a guard can still be put
// in place then needs that the library cannot have frozen or redefined
// builtins (sealing), nor replaced a global without it being captured.

// guardKey names a guard: a method of an object, or a global (o is nil).
type guardKey struct {
	o    *goja.Object
	name string
}

// first says that a guard is not in place yet, and that it will be now.
func (r *Runtime) first(o *goja.Object, name string) bool {
	g := r.guards
	if g.done == nil {
		return true // guards are placed once only
	}
	k := guardKey{o, name}
	if g.done[k] {
		return false
	}
	g.done[k] = true
	return true
}

// capture keeps what the library could replace before the guards are complete.
func (r *Runtime) capture() {
	g := r.guards
	builtinNames() // made on a control thread
	g.done, g.captured = map[guardKey]bool{}, map[string]*goja.Object{}
	if r.program.names.tampers {
		r.iterator(arrayIterator)
		r.iterator(stringIterator)
	}
	if r.program.names.generators {
		r.iterator(generatorFunction)
	}
	for name := range r.program.names.spelled {
		if o, ok := r.js.GlobalObject().Get(name).(*goja.Object); ok {
			g.captured[name] = o
		}
	}
}

// longestBuiltin bounds the names that are looked up.
const longestBuiltin = 32

// propertyName looks at a computed name before it is used.
func (r *Runtime) propertyName(call goja.FunctionCall) goja.Value {
	v := call.Arguments[0]
	if t := typeOf(v); t == intType || t == floatType || r.guards.done == nil {
		return v
	}
	switch k := v.(type) {
	case goja.String:
		if k.Length() > longestBuiltin || !builtinNames()[k.String()] {
			return v
		}
	case *goja.Object, *goja.Symbol: // an object becomes a name later, whichever it likes
	default:
		return v
	}
	r.completeGuards()
	return v
}

func (r *Runtime) completeGuards() {
	r.guards.all = true
	r.placeGuards()
	r.guards.done = nil
	r.program.computes.Store(true)
}

// builtinNames are the names under which builtin objects hold functions or
// other objects.
var builtinNames = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{"__proto__": true}
	js := goja.New()
	seen := map[*goja.Object]bool{}
	var visit func(o *goja.Object)
	visit = func(o *goja.Object) {
		if o == nil || seen[o] {
			return
		}
		seen[o] = true
		visit(o.Prototype())
		for _, name := range o.GetOwnPropertyNames() {
			var v goja.Value
			if js.Try(func() { v = o.Get(name) }) != nil {
				continue // an accessor that wants another receiver gives no object
			}
			if child, ok := v.(*goja.Object); ok {
				names[name] = true
				visit(child)
			}
		}
		for _, s := range o.Symbols() {
			var v goja.Value
			if js.Try(func() { v = o.GetSymbol(s) }) == nil {
				if child, ok := v.(*goja.Object); ok {
					visit(child)
				}
			}
		}
	}
	visit(js.GlobalObject())
	for _, p := range iteratorPrograms {
		if v, err := js.RunProgram(p); err == nil {
			visit(v.(*goja.Object))
		}
	}
	return names
})
