// Package wasm is tier 1: a tenant's compiled functions, run by wazero on the
// tenant's arena, which is their linear memory.
//
// Parsing, compiling and instantiating (NewLibrary, Prepare, Close) are for
// control threads. Invoke belongs to the tenant's home lcore, one invocation at
// a time; a suspended one counts as running.
package wasm

import (
	"context"
	"fmt"
	"sync"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"

	"shredder/jit/compile"
)

// process is the one wazero runtime: compiled modules are shared by all
// tenants, instances are made for each.
var process struct {
	sync.Once
	runtime wazero.Runtime
	err     error
}

// runtime makes the runtime at its first use. Never WithCloseOnContextDone: it
// costs 25 ns a back-edge and a goroutine a call (facts.md); our fuel bounds
// loops.
func runtime() (wazero.Runtime, error) {
	process.Do(func() {
		ctx := context.Background()
		process.runtime = wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler().WithDebugInfoEnabled(false))
		process.err = defineHost(ctx, process.runtime)
	})
	return process.runtime, process.err
}

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
	modules map[string]*module
}

type module struct {
	*compile.Module
	compiled wazero.CompiledModule
}

// NewLibrary parses a library whose export keywords are blanked with spaces.
// The error is a *compile.Refusal.
func NewLibrary(text string, exports []string) (*Library, error) {
	source, err := compile.Parse(text, exports)
	if err != nil {
		return nil, err
	}
	l := &Library{source: source, exports: map[string]bool{}, modules: map[string]*module{}}
	for _, name := range exports {
		l.exports[name] = true
	}
	return l, nil
}

// module compiles a function for a list of argument types, once for all tenants.
func (l *Library) module(ctx context.Context, r compile.Request) (*module, error) {
	key := fmt.Sprint(r.Function, r.Args, r.Wide)
	l.mu.Lock()
	defer l.mu.Unlock()
	if m := l.modules[key]; m != nil {
		return m, nil
	}
	rt, err := runtime()
	if err != nil {
		return nil, err
	}
	made, err := l.source.Compile(r)
	if err != nil {
		return nil, err
	}
	compiled, err := rt.CompileModule(ctx, made.Wasm)
	if err != nil {
		return nil, fmt.Errorf("wasm: the compiler made an invalid module for %s: %w", r.Function, err)
	}
	m := &module{made, compiled}
	l.modules[key] = m
	return m, nil
}

// instantiate makes an instance on an arena.
func instantiate(ctx context.Context, m *module, arena []byte) (wazeroModule, error) {
	rt, err := runtime()
	if err != nil {
		return nil, err
	}
	ctx = experimental.WithMemoryAllocator(ctx, experimental.MemoryAllocatorFunc(func(uint64, uint64) experimental.LinearMemory {
		return arenaMemory(arena)
	}))
	return rt.InstantiateModule(ctx, m.compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions())
}
