package interp

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/dop251/goja"

	"shredder/jit"
	"shredder/store"
)

// RuntimeConfig is what a Runtime needs to know of its tenant.
type RuntimeConfig struct {
	Tenant    string
	Limits    *jit.Limits
	NowMillis int64 // what Date says while the top level runs
}

// Runtime is one tenant's instance of a library. It implements jit.Invoker.
type Runtime struct {
	program *Program
	shard   *store.Shard
	cfg     RuntimeConfig
	limits  *jit.Limits

	js      *goja.Runtime
	exports []func(goja.FunctionCall) goja.Value
	entry   func()                  // body, as goja's Try wants it
	leave   goja.Callable           // an empty call, after which goja lets go of its stack
	bound   map[string]*goja.Object // functions of the store made so far
	ctors   [9]goja.Constructor     // typed arrays, by kind, made when first used
	guards  *guards

	meter     meter
	inv       *jit.Invocation
	overlay   *store.Overlay
	clean     bool // nothing written yet: lookups go to the shard itself
	keyBuf    []byte
	values    [][]byte // what storeConcat collects
	recent    [recentSize]recentEntry
	epoch     uint64 // tells recent entries of this state of the data from older ones
	random    uint64
	nowMillis int64
	log       logBuffer
	failed    jit.Outcome // set by what ends an invocation with a reason of its own
	message   []byte
	current   int // export being called
	args      []goja.Value
	dirty     bool
	running   bool
	run       atomic.Uint64 // generation<<2 | run state, for InterruptRun
}

// NewRuntime instantiates p on a control thread. The library's top level runs
// here, under Limits.LoadFuel and without the store. The error is a
// *SourceError.
func NewRuntime(p *Program, s *store.Shard, cfg RuntimeConfig) (*Runtime, error) {
	r := &Runtime{program: p, shard: s, cfg: cfg, limits: cfg.Limits}
	if err := r.Reset(); err != nil {
		return nil, err
	}
	return r, nil
}

// Dirty says that the last invocation ended so that module bindings may hold
// traces of what did not happen. Reset on a control thread before the next
// call; Invoke does it itself otherwise, at the price of a long turn.
func (r *Runtime) Dirty() bool { return r.dirty }

// Discarded tells the Runtime that the caller dropped the overlay of a call
// that had ended OK (TRY, or a commit that failed).
func (r *Runtime) Discarded() {
	if r.program.mutates[r.current] {
		r.dirty = true
	}
}

// Program returns what the Runtime runs.
func (r *Runtime) Program() *Program { return r.program }

// Reset gives the library fresh module bindings: a new goja runtime. It must
// not be called while an invocation runs or is suspended.
func (r *Runtime) Reset() error {
	r.js = goja.New()
	r.bound = map[string]*goja.Object{}
	r.ctors = [9]goja.Constructor{}
	r.exports, r.guards = nil, nil
	r.epoch++
	r.js.SetMaxCallStackSize(r.limits.Depth)
	r.js.SetRandSource(r.nextRandom)
	r.js.SetTimeSource(func() time.Time { return time.UnixMilli(r.nowMillis) })
	r.nowMillis = r.cfg.NowMillis
	r.inv, r.overlay = nil, nil
	r.meter.begin(r.limits.LoadFuel, 0, r.limits.Scratch, nil)
	if err := r.load(); err != nil {
		r.dirty = true
		return err
	}
	r.dirty = false
	r.log.reset(0)
	return nil
}

// load installs the guards, runs the top level and takes its exports.
func (r *Runtime) load() error {
	r.log.reset(r.limits.LogSize)
	installGuards(r)
	wrapper, err := r.js.RunProgram(r.program.compiled)
	if err != nil {
		return r.loadError(err)
	}
	arrow := wrapper.Export().(func(goja.FunctionCall) goja.Value)
	args := []goja.Value{
		r.js.NewDynamicArray(meterArray{r}),
		r.native(r.grown), r.native(r.power), r.native(r.shift), r.native(r.closed), r.native(r.viewLength), r.native(r.propertyName),
	}
	for _, name := range r.program.store {
		args = append(args, r.storeFunction(name))
	}
	for _, name := range r.program.folded {
		args = append(args, r.native(r.foldedFunction(name)))
	}
	r.installObjects()
	r.installMath()
	var exported []goja.Value
	top, _ := goja.AssertFunction(r.js.ToValue(func(goja.FunctionCall) goja.Value {
		list := arrow(goja.FunctionCall{This: undefined, Arguments: args}).(*goja.Object)
		for i := range r.program.exports {
			exported = append(exported, list.Get(fmt.Sprint(i)))
		}
		return undefined
	}))
	if _, err := top(undefined); err != nil {
		return r.loadError(err)
	}
	for _, v := range exported {
		f, _ := v.Export().(func(goja.FunctionCall) goja.Value)
		r.exports = append(r.exports, f)
	}
	r.entry = r.body
	r.leave, _ = goja.AssertFunction(r.native(func(goja.FunctionCall) goja.Value { return undefined }))
	return nil
}

func (r *Runtime) loadError(err error) error {
	o := r.outcome(err)
	message := string(o.Message)
	switch o.Status {
	case jit.Fuel:
		message = "the library's top level runs too long"
	case jit.Limit:
		message = "the library's top level exceeds a limit on memory or call depth"
	}
	return &SourceError{o.Line, o.Column, message}
}

func (r *Runtime) native(f func(goja.FunctionCall) goja.Value) *goja.Object {
	return r.js.ToValue(f).(*goja.Object)
}

// nextRandom is splitmix64 (Steele, Lea and Flood, 2014), seeded by request.
func (r *Runtime) nextRandom() float64 {
	r.random += 0x9e3779b97f4a7c15
	z := r.random
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return float64((z^z>>31)>>11) / (1 << 53)
}

// States of run.
const (
	runIdle = iota
	runRunning
	runInterrupting
	runInterrupted
)

// Generation names the invocation that runs now, for InterruptRun; any thread.
func (r *Runtime) Generation() (gen uint64, running bool) {
	w := r.run.Load()
	return w >> 2, w&3 == runRunning
}

// InterruptRun is the watchdog's hook: it stops the invocation of that
// generation, at its next instruction, from any thread. It never touches a
// later one: the state word goes from running to interrupting by a compare and
// swap, and the invocation waits for it to leave that state before it ends.
func (r *Runtime) InterruptRun(gen uint64) bool {
	if !r.run.CompareAndSwap(gen<<2|runRunning, gen<<2|runInterrupting) {
		return false
	}
	r.js.Interrupt("watchdog")
	r.run.Store(gen<<2 | runInterrupted)
	return true
}

func (r *Runtime) enterRun() { r.run.Store((r.run.Load()>>2+1)<<2 | runRunning) }

// leaveRun says whether the watchdog has interrupted this run.
func (r *Runtime) leaveRun() bool {
	w := r.run.Load()
	gen := w >> 2
	if r.run.CompareAndSwap(gen<<2|runRunning, gen<<2|runIdle) {
		return false
	}
	for r.run.Load()&3 != runInterrupted {
	}
	r.js.ClearInterrupt()
	r.run.Store(gen<<2 | runIdle)
	return true
}
