package tenants

import (
	"encoding/json"
	"errors"
	"sync"

	"shredder/jit/wasm"
	"shredder/pktproc/wire"
)

// How many jobs wait for a control thread.
const (
	maxRuntimeJobs = 16 << 10
	maxCompileJobs = 16 << 10 // a tenant has one at a time
	maxFnJobs      = 256
)

// pool is the goroutines that do jobs. Deployments and compilations never stand in
// the way of runtimes, which all calls wait for, nor deployments in that of
// compilations, which sandboxed calls wait for.
type pool struct {
	runtimes, compiles, fns chan *Job
	quit                    chan struct{}
	once                    sync.Once
	workers                 sync.WaitGroup
}

func (p *pool) start(makers int, do func(*Job)) {
	p.runtimes, p.fns = make(chan *Job, maxRuntimeJobs), make(chan *Job, maxFnJobs)
	p.compiles = make(chan *Job, maxCompileJobs)
	p.quit = make(chan struct{})
	for range makers {
		p.workers.Go(func() { p.work(p.runtimes, do) })
	}
	p.workers.Go(func() { p.work(p.compiles, do) })
	p.workers.Go(func() { p.work(p.fns, do) })
}

func (p *pool) work(jobs <-chan *Job, do func(*Job)) {
	for {
		select {
		case <-p.quit:
			return
		case job := <-jobs:
			do(job)
		}
	}
}

// stop ends the goroutines after the jobs that they are at.
func (p *pool) stop() {
	p.once.Do(func() { close(p.quit) })
	p.workers.Wait()
}

// Submit takes a job from an lcore. It never blocks; false: too many wait, or the
// registry is closed. The outcome comes back to job.Lcore as EventJobDone.
func (r *Registry) Submit(job *Job) bool {
	queue := r.pool.runtimes
	switch job.Kind {
	case JobFn:
		queue = r.pool.fns
	case JobCompile:
		queue = r.pool.compiles
	}
	select {
	case <-r.pool.quit:
		return false
	default:
	}
	select {
	case queue <- job:
		return true
	default:
		r.Stats.JobsRefused.Add(1)
		return false
	}
}

// run does one job on a control thread and sends it back.
func (r *Registry) run(job *Job) {
	r.mu.Lock()
	t := r.byID[job.Local.ID]
	r.mu.Unlock()
	if t != nil && t.local != job.Local {
		t = nil
	}
	var m *wasm.Module
	if job.Kind == JobCompile { // which takes long: not under the tenant's lock
		m = r.compile(job)
	}
	if t, err := lock(t, job.Local.Name); err != nil {
		job.fail(wire.StatusNoTenant, "the tenant has been deleted")
	} else {
		r.runLocked(t, job, m)
		t.mu.Unlock()
	}
	r.cfg.Post(job.Lcore, Event{Kind: EventJobDone, Job: job})
}

// compile compiles what a JobCompile names. nil: job.Refusal says why not.
func (r *Registry) compile(job *Job) *wasm.Module {
	r.Stats.Compilations.Add(1)
	m, err := job.Version.library.Compile(job.Function, wasm.UnpackKinds(job.Kinds), job.Wide)
	if err != nil {
		r.Stats.CompilationsRefused.Add(1)
		job.Refusal = reasonOf(err)
		return nil
	}
	job.CodeSize = m.Size()
	return m
}

func (r *Registry) runLocked(t *tenant, job *Job, m *wasm.Module) {
	var err error
	switch job.Kind {
	case JobRuntime:
		job.Old = nil
		if job.Runtime, job.Compiled, err = r.newRuntime(t, job.Version); err == nil {
			r.keep(t)
		}
	case JobCompile:
		if m == nil {
			return
		}
		if job.Form, err = m.Instantiate(t.local.Shard); err != nil {
			job.Refusal = reasonOf(err)
		}
	case JobFn:
		err = r.runFn(t, job)
	}
	if err != nil {
		job.failError(err)
	}
}

func (r *Registry) runFn(t *tenant, job *Job) (err error) {
	var hash Hash
	if job.Verb == wire.FnActivate || job.Verb == wire.FnDelete {
		var ok bool
		if hash, ok = ParseHash(string(job.Source)); !ok {
			job.fail(wire.StatusBadArgument, "a version is named by 64 hexadecimal digits")
			return nil
		}
	}
	if job.Verb != wire.FnDeploy { // which takes long before it begins
		if err := job.begin(); err != nil {
			return err
		}
	}
	var v *Version
	switch job.Verb {
	case wire.FnDeploy:
		v, err = r.deploy(t, job.Name, job.Source, job.Activate, job)
	case wire.FnActivate:
		err = r.activate(t, hash)
		v = t.version(hash)
	case wire.FnRollback:
		v, err = r.rollback(t)
	case wire.FnDelete:
		err = t.deleteVersion(hash)
	case wire.FnExplain:
		err = r.explain(t, job)
	case wire.FnList:
		job.Value = t.listJSON()
	default:
		job.fail(wire.StatusUnsupported, "unknown verb")
	}
	if err == nil && v != nil {
		job.Value = []byte(v.Hash.String())
	}
	return err
}

// failError says in a reply why a job failed.
func (j *Job) failError(err error) {
	var le *LibraryError
	switch {
	case errors.As(err, &le):
		j.fail(wire.StatusBadLibrary, le.Message)
		j.Line, j.Column = le.Line, le.Column
	case errors.Is(err, ErrNoTenant): // deleted meanwhile
		j.fail(wire.StatusNoTenant, err.Error())
	case errors.Is(err, ErrNoVersion):
		j.fail(wire.StatusNoVersion, err.Error())
	case errors.Is(err, ErrLimit):
		j.fail(wire.StatusLimit, err.Error())
	default:
		j.fail(wire.StatusConflict, err.Error())
	}
}

// VersionInfo is a version as lists show it.
type VersionInfo struct {
	Hash           string   `json:"hash"`
	Library        string   `json:"library"`
	Functions      []string `json:"functions"`
	SourceSize     int      `json:"source_size"`
	DeployedMillis int64    `json:"deployed_ms"`
	Active         bool     `json:"active"`
}

func (t *tenant) versionInfos() []VersionInfo {
	infos := make([]VersionInfo, len(t.versions))
	for i, v := range t.versions {
		infos[i] = VersionInfo{Hash: v.Hash.String(), Library: v.Library, Functions: v.Functions,
			SourceSize: v.SourceSize, DeployedMillis: v.DeployedMillis, Active: v == t.active}
	}
	return infos
}

func (t *tenant) listJSON() []byte {
	b, err := json.Marshal(map[string]any{"versions": t.versionInfos()})
	if err != nil { // strings and numbers only
		panic(err)
	}
	return b
}
