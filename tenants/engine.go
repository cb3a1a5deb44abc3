package tenants

import (
	"shredder/jit"
	"shredder/jit/wasm"
)

// Runtime runs a tenant's functions on tier 0. It is made on a control thread and
// then belongs to the home lcore.
type Runtime interface {
	jit.Invoker
	// Dirty says that a call ended in a way that may have left module state half
	// changed: the runtime must not be called again, but replaced.
	Dirty() bool
	// Discarded says that nothing of the last call lasts, though it may have ended OK.
	Discarded()
}

// Engine is a tenant's functions on its home lcore, and that lcore's alone. A
// call keeps what it began in; everything here is for the next one.
type Engine struct {
	active    *Version
	runtime   Runtime
	compiled  *wasm.Instance
	functions map[string]*Function // those of active that have been called
}

// Active returns the version that serves calls, or nil if there is none.
func (e *Engine) Active() *Version { return e.active }

// Runtime returns what runs Active on tier 0, or nil if it has to be made first (JobRuntime).
func (e *Engine) Runtime() Runtime { return e.runtime }

// Compiled returns what runs Active on tier 1, or nil if it has to be made first
// (JobRuntime) or nothing of Active compiles.
func (e *Engine) Compiled() *wasm.Instance { return e.compiled }

// Activate makes v serve the calls that begin from now on, with rt made for it, or
// nil. A nil rt for the version that is active already drops its runtime: it
// has been idle for long.
func (e *Engine) Activate(v *Version, rt Runtime) {
	if v != e.active {
		e.functions = nil
	}
	e.active, e.runtime, e.compiled = v, rt, nil
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

// SettleCompiled takes over what runs v's compiled functions, unless there is one
// already or another version has become active meanwhile.
func (e *Engine) SettleCompiled(v *Version, i *wasm.Instance) {
	if v == e.active && e.compiled == nil {
		e.compiled = i
	}
}

// DropRuntime takes tier 0's runtime away, for JobRuntime to replace it, and returns it.
func (e *Engine) DropRuntime() Runtime {
	rt := e.runtime
	e.runtime = nil
	return rt
}

// Drop takes away whatever runs functions, of a tenant that is idle.
func (e *Engine) Drop() { e.runtime, e.compiled = nil, nil }

// changeTrust begins anew at another level of trust: nothing is known of any
// function, and nothing runs until it is made. A call under way ends as it began.
func (l *Local) changeTrust(to Trust) {
	l.Trust = to
	l.Engine.Drop()
	l.Engine.functions = nil
}
