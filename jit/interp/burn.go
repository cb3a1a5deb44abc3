package interp

import (
	"reflect"

	"github.com/dop251/goja"

	"shredder/jit"

	"shredder/jit/syntax"
)

// abort is what the meter panics with. Unwrapping to an InterruptedError makes
// goja treat it as uncatchable: neither catch nor finally of the library runs.
type abort struct{ interrupted goja.InterruptedError }

func (*abort) Error() string   { return "invocation ended" }
func (a *abort) Unwrap() error { return &a.interrupted }

var aborted = &abort{}

// meter is the state of one invocation's budget. left is what remains of the
// current slice; everything else is touched at slice ends only.
type meter struct {
	left    int64
	reserve int64 // fuel not yet given to a slice
	granted int64 // fuel given to slices so far
	slice   int64
	scratch int64 // bytes of scratch that remain
	yield   func() bool
	dead    bool
	status  jit.Status // why it is dead
}

// begin sets the budget of an invocation.
func (m *meter) begin(fuel, slice, scratch int64, yield func() bool) {
	if slice <= 0 {
		slice = fuel
	}
	*m = meter{reserve: fuel, slice: slice, scratch: scratch, yield: yield}
	m.grant()
}

func (m *meter) grant() {
	n := min(m.slice, m.reserve)
	m.reserve -= n
	m.granted += n
	m.left += n
}

// used is the fuel burnt so far.
func (m *meter) used() int64 { return m.granted - max(m.left, 0) }

// burn takes n units. It yields at the end of a slice and ends the invocation
// when the budget is spent; then it panics, now and at every later burn, so
// that nothing of the library runs on while the stack unwinds.
func (m *meter) burn(n int64) {
	m.left -= n
	if m.left < 0 {
		m.spent()
	}
}

func (m *meter) spent() {
	for m.left < 0 {
		switch {
		case m.dead:
		case m.reserve == 0:
			m.end(jit.Fuel)
		case m.yield == nil:
			m.end(jit.Preempted)
		default:
			if !m.yield() {
				m.end(jit.Killed)
				break
			}
			m.grant()
			continue
		}
		m.left = -1
		panic(aborted)
	}
}

// end marks the invocation as dead; the first reason counts.
func (m *meter) end(s jit.Status) {
	if !m.dead {
		m.dead, m.status = true, s
	}
	m.left, m.reserve = -1, 0
}

// stop ends the invocation from within a builtin.
func (m *meter) stop(s jit.Status) {
	m.end(s)
	panic(aborted)
}

// work burns for an operation on n bytes.
func (m *meter) work(n int64) {
	if n >= syntax.BytesPerFuel {
		m.burn(n / syntax.BytesPerFuel)
	}
}

// grow burns for n bytes and charges them to the scratch limit, before they
// are allocated. Small amounts are covered by the fuel that made them.
func (m *meter) grow(n int64) {
	m.charge(n)
	m.work(n)
}

// charge charges n bytes to the scratch limit.
func (m *meter) charge(n int64) {
	if n < syntax.BytesPerFuel {
		return
	}
	if m.scratch -= n; m.scratch < 0 {
		m.stop(jit.Limit)
	}
}

// meterArray is the meter as JavaScript sees it: reading element n burns n.
type meterArray struct{ r *Runtime }

func (a meterArray) Len() int                 { return 0 }
func (a meterArray) Set(int, goja.Value) bool { return false }
func (a meterArray) SetLen(int) bool          { return false }

func (a meterArray) Get(n int) goja.Value {
	m := &a.r.meter
	m.left -= int64(n)
	if m.left < 0 {
		m.spent()
	}
	return undefined
}

var (
	undefined = goja.Undefined()
	scratchVM = goja.New()
	intType   = reflect.TypeOf(scratchVM.ToValue(1))
	floatType = reflect.TypeOf(scratchVM.ToValue(1.5))
	smallInts = makeSmallInts()
)

// smallIntCount integers are boxed once for all: goja boxes others on the heap
// each time.
const smallIntCount = 1 << 14

func makeSmallInts() []goja.Value {
	all := make([]goja.Value, smallIntCount)
	for i := range all {
		all[i] = scratchVM.ToValue(i)
	}
	return all
}

func intValue(n int64) goja.Value {
	if uint64(n) < smallIntCount {
		return smallInts[n]
	}
	return scratchVM.ToValue(n)
}

func floatValue(f float64) goja.Value { return scratchVM.ToValue(f) }

func boolValue(b bool) goja.Value {
	if b {
		return trueValue
	}
	return falseValue
}

var trueValue, falseValue = scratchVM.ToValue(true), scratchVM.ToValue(false)
