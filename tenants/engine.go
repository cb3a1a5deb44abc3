package tenants

import "shredder/jit"

// Runtime runs a tenant's functions. It is made on a control thread and then
// belongs to the home lcore.
type Runtime interface {
	jit.Invoker
	// Dirty says that a call ended in a way that may have left module state half
	// changed: the runtime must not be called again, but replaced.
	Dirty() bool
}

// Engine is a tenant's functions on its home lcore, and that lcore's alone. A
// call keeps the Runtime it began with; everything here is for the next one.
type Engine struct {
	active  *Version
	runtime Runtime
	long    map[string]bool // functions that outran their first slice
}

// Active returns the version that serves calls, or nil if there is none.
func (e *Engine) Active() *Version { return e.active }

// Runtime returns what runs Active, or nil if it has to be made first (JobRuntime).
func (e *Engine) Runtime() Runtime { return e.runtime }

// Activate makes v serve the calls that begin from now on, with rt made for it, or
// nil. A nil rt for the version that is active already drops its runtime: it
// has been idle for long.
func (e *Engine) Activate(v *Version, rt Runtime) {
	if v != e.active {
		e.long = nil
	}
	e.active, e.runtime = v, rt
}

// Settle takes over a runtime that JobRuntime has made, unless another version
// has become active meanwhile. It reports whether it did.
func (e *Engine) Settle(v *Version, rt Runtime) bool {
	if v != e.active || rt == nil {
		return false
	}
	e.runtime = rt
	return true
}

// DropRuntime takes the runtime away, for JobRuntime to replace it, and returns it.
func (e *Engine) DropRuntime() Runtime {
	rt := e.runtime
	e.runtime = nil
	return rt
}

// Long reports whether a call of function starts in a coroutine at once: it
// outran its first slice before, or it changes module state, which a straight
// run that is dropped would leave half done.
func (e *Engine) Long(function []byte) bool {
	return e.long[string(function)] || e.active != nil && e.active.mutates[string(function)]
}

// MarkLong remembers that function outran its first slice. It is called once for
// each function of a version, so the map stays as small as the library.
func (e *Engine) MarkLong(function []byte) {
	if e.long == nil {
		e.long = make(map[string]bool)
	}
	e.long[string(function)] = true
}
