package tenants

import (
	"errors"
	"sync/atomic"

	"shredder/jit"
	"shredder/jit/wasm"
	"shredder/pktproc/wire"
)

// JobKind says what a job asks of the control threads.
type JobKind uint8

const (
	// JobRuntime asks for what runs Version for Local: a Runtime unless the tenant is
	// sandboxed, and an Instance for compiled functions. Old is the one it
	// replaces, if any, and is given away.
	JobRuntime JobKind = iota + 1
	// JobFn asks for a change or a list of Local's versions: Verb is one of wire.Fn*.
	JobFn
	// JobCompile asks for Function of Version, compiled for the argument types in
	// Kinds with the general form for the guards in Wide.
	JobCompile
)

// Job is a request from an lcore to the control threads. The lcore gives it
// away with Registry.Submit and gets it back, with its outcome filled in, as
// EventJobDone.
type Job struct {
	Kind  JobKind
	Lcore int // where the answer goes
	Local *Local
	// Waiter is the lcore's own: what waits for the job.
	Waiter any

	phase atomic.Uint32

	// JobRuntime.
	Version *Version
	Old     Runtime

	// JobCompile.
	Function string
	Kinds    uint64
	Wide     []int

	// JobFn. Source is the library's source (deploy) or a version's hash in
	// hexadecimal (activate, delete, explain: may be empty); Name the library's name (deploy).
	Verb     uint8
	Activate bool
	Name     string
	Source   []byte
	Profiles []Profile // of Version, the active one, for FnExplain

	// The outcome. Value is a version's hash in hexadecimal (deploy, activate,
	// rollback), JSON (list, explain), or says why Status is not OK. Line and Column point into Source.
	Status       wire.Status
	Value        []byte
	Line, Column int
	Runtime      Runtime
	Compiled     *wasm.Instance
	Form         *wasm.Form // or nil, for the reason in Refusal
	CodeSize     int
	Refusal      jit.Reason
}

// Phases of a JobFn. Both sides want to leave jobPending: so an FN whose
// deadline passes either has not happened and will not, or is as good as done.
const (
	jobPending   = iota
	jobEffective // it takes effect now
	jobCancelled
)

// Cancel makes sure that the job has no effect. false: it has, or is about to. The
// lcore that submitted it calls this; the job comes back all the same.
func (j *Job) Cancel() bool { return j.phase.CompareAndSwap(jobPending, jobCancelled) }

// begin is called before the first lasting effect of a JobFn, nil for what is no
// lcore's request.
func (j *Job) begin() error {
	if j == nil || j.phase.CompareAndSwap(jobPending, jobEffective) || j.phase.Load() == jobEffective {
		return nil
	}
	return errCancelled
}

var errCancelled = errors.New("cancelled: its deadline has passed")

func (j *Job) fail(status wire.Status, why string) {
	j.Status, j.Value = status, []byte(why)
}
