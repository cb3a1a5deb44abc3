package interp

import (
	"fmt"
	"math"
	"math/rand"
	"testing"

	"shredder/jit/jsmath"
)

// TestMathIsOurs: Math and ** give the very bits of jsmath.
func TestMathIsOurs(t *testing.T) {
	source := "const all = {};"
	for name := range jsmath.Functions1 {
		source += fmt.Sprintf(" all.%s = Math.%s;", name, name)
	}
	b := newBed(t, source+`
export function one(name, x) { return all[name](x) }
export function spelled(x) { return Math.exp(x) }
export function pow(x, y) { return [Math.pow(x, y) === x ** y, x ** y].join() }
export function assigned(x, y) { let z = x; z **= y; return z }
export function text(x) { return 'a' + x ** 2 + 1 }
export function object() { return { valueOf: () => 3 } ** 2 }
`)
	rng := rand.New(rand.NewSource(2))
	for name, f := range jsmath.Functions1 {
		for range 50 {
			x := (rng.Float64() - 0.5) * 4
			b.want(shown(encode(f(x))), "one", name, x)
		}
	}
	if jsmath.Exp(0.3) == math.Exp(0.3) {
		b.want("double 1.3498588075760032", "spelled", 0.3)
	}
	b.want(fmt.Sprintf("double %v", jsmath.Exp(1.7)), "spelled", 1.7)
	b.want(`"true,9.000000000000002"`, "pow", 1.0/3, -2)
	b.want(fmt.Sprintf("double %v", jsmath.Pow(100, -2)), "assigned", 100, -2)
	b.want(`"a91"`, "text", 3)
	b.want("9", "object")
}
