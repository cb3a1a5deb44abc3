package wasm

import (
	"shredder/jit"

	"shredder/jit/syntax"
)

// meter is the fuel of one invocation beyond the slice that the module counts
// down itself. It grants, yields and ends exactly as tier 0's meter does.
type meter struct {
	reserve int64
	granted int64
	slice   int64
	yield   func() bool
	ended   bool
	status  jit.Status
}

// begin sets the budget and returns the first slice.
func (m *meter) begin(fuel, slice int64, yield func() bool) int64 {
	if slice <= 0 {
		slice = fuel
	}
	*m = meter{reserve: fuel, slice: slice, yield: yield}
	return m.grant()
}

func (m *meter) grant() int64 {
	n := min(m.slice, m.reserve)
	m.reserve -= n
	m.granted += n
	return n
}

// used is the fuel burnt, when left remains of the slice.
func (m *meter) used(left int64) int64 { return m.granted - max(left, 0) }

// spent goes on after a slice: it returns what is left of the next, or −1 when
// the invocation has ended.
func (m *meter) spent(left int64) int64 {
	for left < 0 {
		switch {
		case m.ended:
			return -1
		case m.reserve == 0:
			m.end(jit.Fuel)
			return -1
		case m.yield == nil:
			m.end(jit.Preempted)
			return -1
		case !m.yield():
			m.end(jit.Killed)
			return -1
		}
		left += m.grant()
	}
	return left
}

// breathe yields without a grant, in the middle of an operation whose fuel was burnt at
// once. A straight run, whose slice was enough for all of it, goes on.
func (m *meter) breathe(left int64) int64 {
	if m.yield != nil && !m.yield() {
		m.end(jit.Killed)
		return -1
	}
	return left
}

// end ends the invocation; the first reason counts.
func (m *meter) end(s jit.Status) {
	if !m.ended {
		m.ended, m.status = true, s
	}
	m.reserve = 0
}

// work burns for an operation on n bytes, as tier 0 does.
func (m *meter) work(left, n int64) int64 { return m.spent(left - n/syntax.BytesPerFuel) }
