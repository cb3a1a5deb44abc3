package tenants

import (
	"context"
	"runtime/pprof"
	"slices"

	"shredder/jit"
)

// Function is what the home lcore knows of one function of the active version.
type Function struct {
	// Labels names tenant and function in CPU profiles, for
	// pprof.SetGoroutineLabels around each call.
	Labels context.Context

	// Tiering decides on which tier its calls run, and counts them.
	Tiering jit.Tiering

	mutates bool  // it changes module state
	long    bool  // it outran its first slice
	short   uint8 // calls in a row, since then, that ended within it
}

// shortCalls is how many calls in a row must end within their first slice for a
// long function to run straight again. A function that is short eight times out
// of nine then wastes a slice, some 50 µs, every ninth call.
const shortCalls = 8

const mutatesReason = "it may change module-level variables, which compiled code does not keep"

// unknown stands for every name that the active version does not export, so
// that callers cannot fill the memory with names.
var unknown = Function{Labels: context.Background()}

// Function returns what is known of a function of the active version. Its first
// call makes the entry; later ones allocate nothing.
func (l *Local) Function(name []byte) *Function {
	e := &l.Engine
	if f := e.functions[string(name)]; f != nil {
		return f
	}
	if e.active == nil || !slices.Contains(e.active.Functions, string(name)) {
		return &unknown
	}
	f := &Function{
		Labels:  pprof.WithLabels(context.Background(), pprof.Labels("tenant", l.Name, "function", string(name))),
		mutates: e.active.mutates[string(name)],
	}
	f.Tiering.Sandboxed = l.Trust == TrustSandboxed
	switch {
	case f.mutates:
		f.Tiering.Stays = jit.Reason{Text: mutatesReason}
	case e.active.library == nil:
		f.Tiering.Stays = jit.Reason{Line: e.active.refusal.Line, Column: e.active.refusal.Column,
			Text: "nothing of its library compiles: " + e.active.refusal.Text}
	}
	if e.functions == nil {
		e.functions = make(map[string]*Function)
	}
	e.functions[string(name)] = f
	return f
}

// Known says that the active version exports it.
func (f *Function) Known() bool { return f != &unknown }

// Long reports whether a call starts in a coroutine at once: the function outran
// its first slice lately, or it changes module state, which a straight run that
// is dropped would leave half done.
func (f *Function) Long() bool { return f.long || f.mutates }

// MarkLong remembers that a call outran its first slice.
func (f *Function) MarkLong() {
	if f != &unknown {
		f.long, f.short = true, 0
	}
}

// MarkShort remembers that a call ended within its first slice.
func (f *Function) MarkShort() {
	if !f.long {
		return
	}
	if f.short++; f.short == shortCalls {
		f.long = false
	}
}
