package interp

import (
	"math"
	"time"

	"github.com/dop251/goja"

	"shredder/jit/jsmath"
)

func init() {
	// Process-wide, because goja reads the variable itself: the local time of
	// Date must not depend on where the server stands. The daemon's own local
	// time becomes UTC with it.
	time.Local = time.UTC
}

// installMath replaces the functions of Math whose last bit goja takes from Go
// by those that give V8's, so that a compiled tier can agree with this one.
func (r *Runtime) installMath() {
	names := r.program.names
	if !names.wanted("Math") {
		return
	}
	object := r.intrinsic("Math")
	put := func(name string, length int, f func(goja.FunctionCall) goja.Value) {
		o := r.named(name, f)
		_ = o.DefineDataProperty("length", intValue(int64(length)), goja.FLAG_FALSE, goja.FLAG_TRUE, goja.FLAG_FALSE)
		_ = object.DefineDataProperty(name, o, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
	}
	for name, f := range jsmath.Functions1 {
		if names.reachable(name) {
			put(name, 1, func(call goja.FunctionCall) goja.Value { return floatValue(f(call.Argument(0).ToFloat())) })
		}
	}
	if names.reachable("sign") { // goja's gives back its argument, whatever that is, if it is 0 or NaN as a number
		put("sign", 1, func(call goja.FunctionCall) goja.Value { return floatValue(sign(call.Argument(0).ToFloat())) })
	}
	for name, f := range jsmath.Functions2 {
		if name == "hypot" || !names.reachable(name) { // hypot takes any number of arguments, and Go's is V8's
			continue
		}
		put(name, 2, func(call goja.FunctionCall) goja.Value {
			x := call.Argument(0).ToFloat()
			return floatValue(f(x, call.Argument(1).ToFloat()))
		})
	}
}

func sign(x float64) float64 {
	if x == 0 || x != x {
		return x
	}
	return math.Copysign(1, x)
}
