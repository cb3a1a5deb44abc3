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
	active    *Version
	runtime   Runtime
	functions map[string]*Function // those of active that have been called
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
		e.functions = nil
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
