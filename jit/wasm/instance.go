package wasm

import (
	"context"
	"runtime"

	"github.com/tetratelabs/wazero/api"

	"shredder/jit"
	"shredder/jit/compile"
	"shredder/store"
)

// Config is what an Instance needs to know of its tenant.
type Config struct {
	// ScratchSize is the first block of memory that a call takes for strings, arrays
	// and objects, in bytes (scratch.go); 0: 64 KiB. Limits.Scratch bounds all of it.
	ScratchSize int64
	// FallBack: there is a tier 0 that has more memory. A call that finds no room for
	// its scratch, or needs more, is for it.
	FallBack bool
}

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
	shapes     []compile.Shape // of the running form
	given      given
	console    consoleLines
	sorting    sorters
	tenant     string
	resultSize int
	stack      []uint64
	args       []argument
	text       [128]byte
	builder    builder
	parser     jsonParser
	utf8       []byte
	value      []byte
	values     [][]byte
	parts      []uint64
	requestID  uint64
	lookups    uint64 // and read: by host functions
	read       uint64
	scratch    scratch
	emptyRef   uint32 // what an empty value's address is: any but 0
	missed     jit.Miss
	failed     jit.Guard // what missed.Guard points to
}

// entry is an exported function with the forms it is compiled in.
type entry struct {
	forms   []*Form
	replace int // the form to go when there are too many
}

// Form is a function compiled for one list of argument types, on one arena.
type Form struct {
	kinds  uint64 // argument kinds, 4 bits each, behind a leading 1
	module *Module
	run    wazeroModule
	call   api.Function
	fuel   api.Global
	exit   api.Global
	free   api.MutableGlobal // first free byte of scratch
	limit  api.MutableGlobal // end of its block
	counts [2]api.Global     // lookups, bytes read
	// Representations of the entry's parameters and of its result: a Type is too
	// large to be asked at every call.
	params  []uint8
	result  uint8
	isValue bool
}

// New makes an instance without any function compiled yet.
func New(l *Library, s *store.Shard, cfg Config) *Instance {
	if cfg.ScratchSize == 0 {
		cfg.ScratchSize = firstScratch
	}
	i := &Instance{library: l, shard: s, mem: s.Mem(), config: cfg, entries: map[string]*entry{}, emptyRef: 8}
	i.ctx = callContext{context.Background(), i}
	for name := range l.exports {
		i.entries[name] = &entry{}
	}
	return i
}

// Instantiate makes a Form of m on a shard's arena. 10 KB and 23 µs; it is freed
// with the garbage, so that a call that is suspended in it can end.
func (m *Module) Instantiate(s *store.Shard) (*Form, error) {
	run, err := instantiate(m, s.Mem())
	if err != nil {
		return nil, err
	}
	f := &Form{kinds: m.kinds, module: m, run: run, call: run.ExportedFunction(compile.EntryName),
		fuel: run.ExportedGlobal("fuel"), exit: run.ExportedGlobal("exit"),
		counts: [2]api.Global{run.ExportedGlobal("lookups"), run.ExportedGlobal("read")}}
	for _, t := range m.Params {
		f.params = append(f.params, t.Representation())
	}
	f.result, f.isValue = m.Result.Representation(), m.Result.IsValue()
	f.free, _ = run.ExportedGlobal("scratch").(api.MutableGlobal)
	f.limit, _ = run.ExportedGlobal("limit").(api.MutableGlobal)
	runtime.AddCleanup(f, func(m wazeroModule) { _ = m.Close(context.Background()) }, run)
	return f, nil
}

// Install makes f, of this instance's library and arena, serve the calls that
// begin from now on, in place of an older form for the same types.
func (i *Instance) Install(f *Form) {
	e := i.entries[f.module.function]
	if e == nil {
		return
	}
	for j, old := range e.forms {
		if old.kinds == f.kinds {
			e.forms[j] = f
			return
		}
	}
	if len(e.forms) < jit.MaxForms {
		e.forms = append(e.forms, f)
		return
	}
	e.forms[e.replace%jit.MaxForms] = f
	e.replace++
}

// Prepare compiles and installs in one, for who has no lcore to hand forms to.
func (i *Instance) Prepare(function string, kinds []compile.Kind, wide []int) error {
	m, err := i.library.Compile(function, kinds, wide)
	if err != nil {
		return err
	}
	f, err := m.Instantiate(i.shard)
	if err == nil {
		i.Install(f)
	}
	return err
}

// Widen prepares the form that the last invocation missed, or widens the guard
// that failed in it. false: the guard cannot be widened, this call is for tier 0.
func (i *Instance) Widen(function string) (bool, error) {
	e, miss := i.entries[function], &i.missed
	if e == nil || miss.Kinds == 0 {
		return false, nil
	}
	kinds := UnpackKinds(miss.Kinds)
	if miss.Guard == nil {
		return true, i.Prepare(function, kinds, nil)
	}
	if !miss.Guard.CanWiden {
		return false, nil
	}
	for _, f := range e.forms {
		if f.kinds == miss.Kinds {
			return true, i.Prepare(function, kinds, append(append([]int{}, f.module.wide...), miss.Guard.ID))
		}
	}
	return false, nil
}

// Missed says why the last invocation that ended jit.Deopt was not run here. It
// is valid until the next invocation.
func (i *Instance) Missed() *jit.Miss { return &i.missed }

// Close frees at once what else the garbage collector frees. The shard stays.
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

// UnpackKinds is the list of argument types that jit.Miss packs.
func UnpackKinds(packed uint64) (kinds []compile.Kind) {
	for ; packed > 1; packed >>= 4 {
		kinds = append([]compile.Kind{compile.Kind(packed & 15)}, kinds...)
	}
	return kinds
}
