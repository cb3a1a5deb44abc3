// Package engine runs the functions of the jit suite in this process: compiled,
// by goja, by hand in Go on the same table, and compiled with the lookup behind
// a host call. Data sets are the same for every engine; see Set.
//
// An Engine and its shard belong to one thread.
package engine

import (
	_ "embed"
	"fmt"
	"strings"

	"shredder/jit"
	"shredder/jit/interp"
	"shredder/jit/wasm"
	"shredder/pktproc/wire"
	"shredder/store"
)

// Workloads is the library that every engine that runs JavaScript gets.
//
//go:embed workloads.js
var Workloads string

// nowMillis is request.now of every call.
const nowMillis = 1_700_000_000_000

// Engine runs a library on a shard, on one tier.
type Engine struct {
	inv       jit.Invocation
	run       jit.Invoker
	widen     func(function string) (bool, error) // nil on tier 0
	afterCall func()
	close     func() error
}

// limits are those of development tenants, with fuel and scratch for calls that
// a benchmark makes long on purpose.
func limits() *jit.Limits {
	l := jit.DevelopmentLimits()
	l.Fuel *= 100
	l.Scratch = 8 << 30
	return &l
}

func newEngine(shard *store.Shard, l *jit.Limits) Engine {
	return Engine{
		inv: jit.Invocation{Tenant: "bench", NowMillis: nowMillis, Seed: 1, Overlay: shard.Overlay(), Limits: l,
			Result: make([]byte, 0, 4096), Yield: func() bool { return true }},
		afterCall: func() {}, close: func() error { return nil },
	}
}

// Interpreted runs source by goja.
func Interpreted(shard *store.Shard, source string) (*Engine, error) {
	l := limits()
	p, err := interp.Compile([]byte(source), l)
	if err != nil {
		return nil, err
	}
	r, err := interp.NewRuntime(p, shard, interp.RuntimeConfig{Tenant: "bench", Limits: l, NowMillis: nowMillis})
	if err != nil {
		return nil, err
	}
	e := newEngine(shard, l)
	e.run, e.afterCall = r, r.Discarded
	return &e, nil
}

// Compiled runs source on tier 1; a function is compiled at its first call.
func Compiled(shard *store.Shard, source string) (*Engine, error) {
	l := limits()
	p, err := interp.Compile([]byte(source), l)
	if err != nil {
		return nil, err
	}
	library, err := wasm.NewLibrary(blank(source), p.Functions())
	if err != nil {
		return nil, err
	}
	i := wasm.New(library, shard, wasm.Config{})
	e := newEngine(shard, l)
	e.run, e.widen, e.close = i, i.Widen, i.Close
	return &e, nil
}

// Tiers are the tiers by the names of their rows.
var Tiers = map[string]func(*store.Shard, string) (*Engine, error){"goja": Interpreted, "compiled": Compiled}

// blank makes a script of a library whose export words stand before functions.
func blank(source string) string {
	return strings.ReplaceAll(source, "export function", "       function")
}

// Close lets go of what was compiled; the shard stays.
func (e *Engine) Close() error { return e.close() }

// SetSlice changes the fuel between two yields.
func (e *Engine) SetSlice(fuel int64) { e.inv.Limits.Slice = fuel }

// Cost is what the last call has used.
func (e *Engine) Cost() jit.Cost { return e.inv.Cost }

// maxWidened bounds how often one call may be compiled anew.
const maxWidened = 30

// Call runs one call and drops what it wrote; the result is valid until the next
// one. On tier 1 it compiles and widens until the call is through; one that is
// for tier 0 is an error.
func (e *Engine) Call(function, args []byte) ([]byte, error) {
	for range maxWidened {
		out := e.once(function, args)
		if out.Status == jit.OK {
			return e.inv.Result, nil
		}
		if out.Status != jit.Deopt {
			return nil, fmt.Errorf("%s: %v %s (%d:%d)", function, out.Status, out.Message, out.Line, out.Column)
		}
		again, err := e.widen(string(function))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", function, err)
		}
		if !again {
			return nil, fmt.Errorf("%s: this call is for tier 0", function)
		}
	}
	return nil, fmt.Errorf("%s: guards keep failing", function)
}

func (e *Engine) once(function, args []byte) jit.Outcome {
	l := e.inv.Limits
	e.inv.Overlay.Begin(nowMillis, store.OverlayLimits{Writes: l.OverlayWrites, Bytes: l.OverlayBytes})
	e.inv.Function, e.inv.Args = function, args
	e.inv.Result = e.inv.Result[:0]
	out := e.run.Invoke(&e.inv)
	e.inv.Overlay.Discard()
	e.afterCall()
	return out
}

// Number is a call with integer arguments whose result is a number.
func (e *Engine) Number(function string, args ...int64) (float64, error) {
	b, err := e.Call([]byte(function), Ints(args...))
	if err != nil {
		return 0, err
	}
	return number(b)
}

// Ints encodes integer arguments.
func Ints(args ...int64) (b []byte) {
	for _, n := range args {
		b = wire.AppendInt(b, n)
	}
	return b
}

func number(b []byte) (float64, error) {
	a, _, st := wire.FirstArg(b)
	if st == wire.StatusOK {
		switch a.Tag() {
		case wire.TagInt:
			return float64(a.Int()), nil
		case wire.TagDouble:
			return a.Double(), nil
		}
	}
	return 0, fmt.Errorf("the result % x is no number", b)
}
