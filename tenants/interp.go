package tenants

import (
	"errors"
	"runtime"
	"sync"
	"weak"

	"shredder/jit"
	"shredder/jit/compile"
	"shredder/jit/interp"
	"shredder/jit/wasm"
	"shredder/store"
)

// Interpreter is the Loader of both tiers: what it loads runs on tier 0 as it is,
// and compiles for tier 1.
type Interpreter struct{}

// program is a library for both tiers, shared by all tenants of equal source.
type program struct {
	*interp.Program
	library *wasm.Library
	refusal jit.Reason
}

// Compiled implements Program.
func (p *program) Compiled() (*wasm.Library, jit.Reason) { return p.library, p.refusal }

// programs are those that some tenant holds, or tier 0's cache.
var programs = struct {
	sync.Mutex
	of map[*interp.Program]weak.Pointer[program]
}{of: map[*interp.Program]weak.Pointer[program]{}}

// Compile implements Loader.
func (Interpreter) Compile(source []byte, limits *jit.Limits) (Program, error) {
	scanned, err := interp.Compile(source, limits)
	if err != nil {
		return nil, libraryError(err)
	}
	programs.Lock()
	defer programs.Unlock()
	if p := programs.of[scanned].Value(); p != nil {
		return p, nil
	}
	p := &program{Program: scanned}
	if p.library, err = wasm.NewLibrary(scanned.Blanked(), scanned.Functions()); err != nil {
		p.refusal = reasonOf(err)
	}
	programs.of[scanned] = weak.Make(p)
	runtime.AddCleanup(p, forget, scanned)
	return p, nil
}

// forget drops the entry of a program that nobody holds, unless another has its place.
func forget(scanned *interp.Program) {
	programs.Lock()
	defer programs.Unlock()
	if programs.of[scanned].Value() == nil {
		delete(programs.of, scanned)
	}
}

// NewRuntime implements Loader.
func (Interpreter) NewRuntime(p Program, shard *store.Shard, at Instance) (Runtime, error) {
	rt, err := interp.NewRuntime(p.(*program).Program, shard,
		interp.RuntimeConfig{Tenant: at.Tenant, Limits: at.Limits, NowMillis: at.NowMillis})
	if err != nil {
		return nil, libraryError(err)
	}
	return rt, nil
}

// withPrelude puts the original's functions behind a library that asks for them.
func withPrelude(source []byte, l *Local) ([]byte, error) {
	text, err := interp.WithPrelude(source, interp.Original{Lcore: l.Home, Graph: l.GraphNodes}, l.Limits)
	if err != nil {
		return nil, libraryError(err)
	}
	return text, nil
}

func libraryError(err error) error {
	var se *interp.SourceError
	if errors.As(err, &se) {
		return &LibraryError{Line: se.Line, Column: se.Column, Message: se.Message}
	}
	return err
}

// reasonOf says why something does not compile.
func reasonOf(err error) jit.Reason {
	var r *compile.Refusal
	if errors.As(err, &r) {
		return jit.Reason{Line: r.Line, Column: r.Column, Text: r.Construct + " is not compiled: " + r.Instead}
	}
	return jit.Reason{Text: err.Error()}
}
