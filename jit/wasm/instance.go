package wasm

import (
	"context"

	"github.com/tetratelabs/wazero/api"

	"shredder/jit/compile"
	"shredder/store"
)

// Config is what an Instance needs to know of its tenant.
type Config struct {
	// ScratchSize is the memory that one invocation may use for strings and
	// arrays, in bytes; it is reserved in the arena for the call. 0: 1 MiB.
	ScratchSize uint32
}

const defaultScratch = 1 << 20

// Instance is one tenant's compiled functions on its arena. It implements
// jit.Invoker.
type Instance struct {
	library *Library
	shard   *store.Shard
	mem     []byte
	config  Config
	entries map[string]*entry
	ctx     callContext

	// Of the running invocation:
	meter      meter
	overlay    *store.Overlay
	now        int64
	reason     string
	raised     []byte
	json       jsonWriter
	console    consoleLines
	tenant     string
	resultSize int
	stack      []uint64
	args       []argument
	text       [64]byte
	emptyRef   uint32 // what an empty value's address is: any but 0
	missed     Miss
}

// entry is an exported function with the forms it is compiled in.
type entry struct {
	forms []*form
}

// form is a function compiled for one list of argument types.
type form struct {
	kinds  uint64 // argument kinds, 4 bits each, behind a leading 1
	wide   []int
	module *module
	run    wazeroModule
	call   api.Function
	fuel   api.Global
	exit   api.Global
	counts [2]api.Global // lookups, bytes read
}

// Miss says why the last invocation that ended jit.Deopt was not run here.
type Miss struct {
	Kinds []compile.Kind // not compiled for these arguments
	Guard *compile.Exit  // or: this guard failed
}

// New makes an instance without any function compiled yet.
func New(l *Library, s *store.Shard, cfg Config) *Instance {
	if cfg.ScratchSize == 0 {
		cfg.ScratchSize = defaultScratch
	}
	i := &Instance{library: l, shard: s, mem: s.Mem(), config: cfg, entries: map[string]*entry{}, emptyRef: 8}
	i.ctx = callContext{context.Background(), i}
	for name := range l.exports {
		i.entries[name] = &entry{}
	}
	return i
}

// Prepare compiles a function for a list of argument types, or again with
// guards widened. It must not be called while an invocation runs or is
// suspended. The error is a *compile.Refusal when the function cannot be
// compiled.
func (i *Instance) Prepare(function string, kinds []compile.Kind, wide []int) error {
	e := i.entries[function]
	if e == nil {
		e = &entry{}
	}
	ctx := context.Background()
	m, err := i.library.module(ctx, compile.Request{Function: function, Args: kinds, Wide: wide})
	if err != nil {
		return err
	}
	run, err := instantiate(ctx, m, i.mem)
	if err != nil {
		return err
	}
	f := &form{kinds: packKinds(kinds), wide: wide, module: m, run: run, call: run.ExportedFunction(compile.EntryName),
		fuel: run.ExportedGlobal("fuel"), exit: run.ExportedGlobal("exit"),
		counts: [2]api.Global{run.ExportedGlobal("lookups"), run.ExportedGlobal("read")}}
	for j, old := range e.forms {
		if old.kinds == f.kinds {
			e.forms[j] = f
			return old.run.Close(ctx)
		}
	}
	e.forms = append(e.forms, f)
	return nil
}

// Widen compiles the form that the last invocation missed, or widens the guard
// that failed in it. false: the guard cannot be widened, this call is for tier 0.
func (i *Instance) Widen(function string) (bool, error) {
	miss := i.missed
	e := i.entries[function]
	if e == nil {
		return false, nil
	}
	if miss.Guard == nil {
		return true, i.Prepare(function, miss.Kinds, nil)
	}
	if !miss.Guard.CanWiden {
		return false, nil
	}
	for _, f := range e.forms {
		if f.kinds == packKinds(miss.Kinds) {
			wide := append(append([]int{}, f.wide...), miss.Guard.ID)
			return true, i.Prepare(function, miss.Kinds, wide)
		}
	}
	return false, nil
}

// Missed says why the last invocation that ended jit.Deopt was not run here.
func (i *Instance) Missed() Miss { return i.missed }

// Close lets go of the instances. The shard stays.
func (i *Instance) Close() error {
	for _, e := range i.entries {
		for _, f := range e.forms {
			if err := f.run.Close(context.Background()); err != nil {
				return err
			}
		}
		e.forms = nil
	}
	return nil
}

// maxArguments of a compiled call.
const maxArguments = 15

func packKinds(kinds []compile.Kind) uint64 {
	packed := uint64(1)
	for _, k := range kinds {
		packed = packed<<4 | uint64(k)
	}
	return packed
}
