package tenants

import "shredder/pktproc/wire"

// JobKind says what a job asks of the control threads.
type JobKind uint8

const (
	// JobRuntime asks for a Runtime of Version for Local. Old is the one it
	// replaces, if any, and is given away.
	JobRuntime JobKind = iota + 1
	// JobFn asks for a change or a list of Local's versions: Verb is one of wire.Fn*.
	JobFn
)

// Job is a request from an lcore to the control threads. The lcore gives it
// away with Registry.Submit and gets it back, with its outcome filled in, as
// EventJobDone.
type Job struct {
	Kind  JobKind
	Lcore int // where the answer goes
	Local *Local

	// JobRuntime.
	Version *Version
	Old     Runtime

	// JobFn. Source is the library's source (deploy) or a version's hash in
	// hexadecimal (activate, delete); Name the library's name (deploy).
	Verb     uint8
	Activate bool
	Name     string
	Source   []byte

	// The outcome. Value is a version's hash in hexadecimal (deploy, activate,
	// rollback), JSON (list), or says why Status is not OK. Line and Column point into Source.
	Status       wire.Status
	Value        []byte
	Line, Column int
	Runtime      Runtime
}

func (j *Job) fail(status wire.Status, why string) {
	j.Status, j.Value = status, []byte(why)
}
