package wasm

import (
	"math"
	"math/rand/v2"
	"testing"

	"shredder/jit"
	"shredder/jit/jsmath"
	"shredder/pktproc/wire"
)

// TestExp compares the emitted Math.exp with the host's, to the bit.
func TestExp(t *testing.T) {
	s := openShard(t)
	i := newInstance(t, `export function exp(x) { return Math.exp(x) }`, s)
	r := rand.New(rand.NewPCG(3, 4))
	list := []float64{0, math.Copysign(0, -1), 1, -1, math.Ln2, math.Ln2 / 2, 1.5 * math.Ln2, 0x1p-28, 0x1p-29, 707.9999999, 708, 709.7, 710, -707.9999999, -708, -745, -746,
		math.Inf(1), math.Inf(-1), math.NaN(), 5e-324, math.MaxFloat64}
	for _, x := range list[:12] {
		list = append(list, math.Nextafter(x, math.Inf(1)), math.Nextafter(x, math.Inf(-1)), -x)
	}
	for range 20_000 {
		list = append(list, r.NormFloat64(), r.NormFloat64()*300, r.NormFloat64()/1e6, math.Float64frombits(r.Uint64()))
	}
	for _, x := range list {
		inv, out := call(t, i, s, "exp", wire.AppendDouble(nil, x))
		if out.Status != jit.OK {
			t.Fatalf("%v: %v", x, out.Status)
		}
		a, _, _ := wire.FirstArg(inv.Result)
		got := a.Double()
		if a.Tag() == wire.TagInt {
			got = float64(a.Int())
		}
		if want := jsmath.Exp(x); math.Float64bits(got) != math.Float64bits(want) && (got == got || want == want) {
			t.Fatalf("exp(%v) = %v, want %v", x, got, want)
		}
	}
}
