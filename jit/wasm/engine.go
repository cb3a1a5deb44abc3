// Package wasm is tier 1: a tenant's compiled functions, run by wazero on the
// tenant's arena, which is their linear memory.
//
// Parsing, compiling and instantiating (NewLibrary, Compile, Instantiate, New) are
// for control threads. Install and Invoke belong to the tenant's home lcore, one
// invocation at a time; a suspended one counts as running.
package wasm

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"

	"shredder/jit/compile"
)

// process returns the one wazero runtime, made at its first use: compiled modules
// are shared by all tenants, instances are made for each. Never
// WithCloseOnContextDone: it costs 25 ns a back-edge and a goroutine a call
// (facts.md); our fuel bounds loops.
var process = sync.OnceValues(func() (wazero.Runtime, error) {
	ctx := context.Background()
	rt := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler().WithDebugInfoEnabled(false))
	return rt, defineHost(ctx, rt)
})

// arenaMemory gives a module the whole arena as its memory. The memory never
// grows or moves, and it is the shard's to free.
type arenaMemory []byte

func (m arenaMemory) Reallocate(size uint64) []byte {
	if size > uint64(len(m)) {
		return nil
	}
	return m
}

func (m arenaMemory) Free() {}

// Library is a parsed library and the modules compiled of it, shared by every
// tenant whose library has the same source. Any control thread may use it.
type Library struct {
	source  *compile.Library
	exports map[string]bool
	mu      sync.Mutex
	modules map[string]verdict
	guesses map[string]Guess
}

// verdict is what compiling came to.
type verdict struct {
	module *Module
	err    error
}

// maxModules is how many verdicts a Library remembers. Argument types and failing
// guards are the callers' choice: what they can fill must have an end.
const maxModules = 512

// Module is a function compiled for one list of argument types, for every arena.
type Module struct {
	*compile.Module
	function string
	kinds    uint64
	wide     []int
	compiled wazero.CompiledModule
}

// NewLibrary parses a library whose export keywords are blanked with spaces.
// The error is a *compile.Refusal.
func NewLibrary(text string, exports []string) (*Library, error) {
	source, err := compile.Parse(text, exports)
	if err != nil {
		return nil, err
	}
	l := &Library{source: source, exports: map[string]bool{}, modules: map[string]verdict{}, guesses: map[string]Guess{}}
	for _, name := range exports {
		l.exports[name] = true
	}
	return l, nil
}

// Compile compiles a function for a list of argument types, with the general
// form for the guards in wide, once for all tenants. It takes up to a second. The
// error is a *compile.Refusal when the function cannot be compiled.
func (l *Library) Compile(function string, kinds []compile.Kind, wide []int) (*Module, error) {
	wide = slices.Sorted(slices.Values(wide)) // one module whatever the order of failures
	r := compile.Request{Function: function, Args: kinds, Wide: wide}
	key := fmt.Sprint(r.Function, r.Args, r.Wide)
	l.mu.Lock()
	defer l.mu.Unlock()
	if v, ok := l.modules[key]; ok {
		return v.module, v.err
	}
	m, err := l.compile(r)
	if len(l.modules) >= maxModules {
		for old := range l.modules { // any: whoever uses it holds on to it
			delete(l.modules, old)
			break
		}
	}
	l.modules[key] = verdict{m, err}
	return m, err
}

func (l *Library) compile(r compile.Request) (*Module, error) {
	rt, err := process()
	if err != nil {
		return nil, err
	}
	made, err := l.source.Compile(r)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	compiled, err := rt.CompileModule(ctx, made.Wasm)
	if err != nil {
		return nil, fmt.Errorf("wasm: the compiler made an invalid module for %s: %w", r.Function, err)
	}
	m := &Module{made, r.Function, packKinds(r.Args), r.Wide, compiled}
	// Code is freed when no tenant's form needs it any more.
	runtime.AddCleanup(m, func(c wazero.CompiledModule) { _ = c.Close(ctx) }, compiled)
	return m, nil
}

// Size is the module's size in bytes.
func (m *Module) Size() int { return len(m.Wasm) }

// instantiate makes an instance on an arena.
func instantiate(m *Module, arena []byte) (wazeroModule, error) {
	rt, err := process()
	if err != nil {
		return nil, err
	}
	ctx := experimental.WithMemoryAllocator(context.Background(), experimental.MemoryAllocatorFunc(func(uint64, uint64) experimental.LinearMemory {
		return arenaMemory(arena)
	}))
	return rt.InstantiateModule(ctx, m.compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions())
}
