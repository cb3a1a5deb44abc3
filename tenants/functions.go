package tenants

import (
	"errors"
	"fmt"
	"slices"

	"shredder/jit/wasm"
)

// maxPrevious is how far back Rollback can go.
const maxPrevious = 32

// find returns a tenant that is installed, locked. The caller unlocks t.mu.
func (r *Registry) find(name string) (*tenant, error) {
	r.mu.Lock()
	t := r.byName[name]
	if t != nil && r.byID[t.local.ID] != t {
		t = nil
	}
	r.mu.Unlock()
	return lock(t, name)
}

func lock(t *tenant, name string) (*tenant, error) {
	if t != nil {
		t.mu.Lock()
		if !t.removed {
			return t, nil
		}
		t.mu.Unlock()
	}
	return nil, fmt.Errorf("tenant %q: %w", name, ErrNoTenant)
}

// Deploy compiles a library for a tenant and keeps it as a version, which serves
// calls at once if activate is set. Deploying a source again is no change. If it
// does not load, the error is a *LibraryError and everything stays as it was.
func (r *Registry) Deploy(name, library string, source []byte, activate bool) (*Version, error) {
	t, err := r.find(name)
	if err != nil {
		return nil, err
	}
	defer t.mu.Unlock()
	return r.deploy(t, library, source, activate, nil)
}

func (r *Registry) deploy(t *tenant, library string, source []byte, activate bool, job *Job) (*Version, error) {
	r.Stats.Deployments.Add(1)
	v, rt, compiled, err := r.build(t, library, source, job)
	if err != nil {
		if le := (*LibraryError)(nil); errors.As(err, &le) {
			r.Stats.BadLibraries.Add(1)
		}
		return nil, err
	}
	if activate && v != t.active {
		t.promote(v)
		r.serve(t, rt, compiled)
	}
	return v, nil
}

// build returns the version of a source and what runs it, which proves that it
// loads, or compiles if the tenant is sandboxed. t.mu is held, but not while it
// compiles, which takes long: who makes runtimes, for all tenants, waits for t.mu
// when this tenant's turn comes.
func (r *Registry) build(t *tenant, library string, source []byte, job *Job) (*Version, Runtime, *wasm.Instance, error) {
	trust := t.trust
	t.mu.Unlock()
	var p Program
	source, err := withPrelude(source, t.local)
	if err == nil {
		p, err = r.cfg.Loader.Compile(source, t.local.Limits)
	}
	if err == nil && trust == TrustSandboxed {
		err = mustCompile(t.local.Name, p)
	}
	t.mu.Lock()
	if err != nil {
		return nil, nil, nil, err
	}
	if t.removed {
		return nil, nil, nil, fmt.Errorf("tenant %q: %w", t.local.Name, ErrNoTenant)
	}
	at := slices.IndexFunc(t.versions, func(v *Version) bool { return v.Hash == p.Hash() })
	if at < 0 && len(t.versions) >= r.cfg.MaxVersions {
		return nil, nil, nil, fmt.Errorf("%d versions are kept, delete one first: %w", len(t.versions), ErrLimit)
	}
	var v *Version
	if at >= 0 {
		v = t.versions[at]
	} else {
		v = newVersion(library, source, p, r.cfg.NowMillis())
	}
	rt, compiled, err := r.newRuntime(t, v)
	if err == nil {
		err = job.begin()
	}
	if err == nil && at < 0 {
		t.versions = append(t.versions, v)
	}
	return v, rt, compiled, err
}

// newRuntime makes what runs v for t: nothing but compiled code if t is sandboxed,
// else tier 0 as well.
func (r *Registry) newRuntime(t *tenant, v *Version) (rt Runtime, compiled *wasm.Instance, err error) {
	if t.trust == TrustSandboxed {
		if err := mustCompile(t.local.Name, v.program); err != nil { // deployed when the tenant was trusted
			return nil, nil, err
		}
	} else if rt, err = r.cfg.Loader.NewRuntime(v.program, t.local.Shard, Instance{t.local.Name, t.local.Limits, r.cfg.NowMillis()}); err != nil {
		return nil, nil, err
	}
	if v.library != nil {
		compiled = wasm.New(v.library, t.local.Shard, wasm.Config{FallBack: rt != nil})
	}
	r.Stats.RuntimesMade.Add(1)
	return rt, compiled, nil
}

// promote makes v the active version and remembers the one before.
func (t *tenant) promote(v *Version) {
	if t.active != nil {
		if len(t.previous) == maxPrevious {
			t.previous = slices.Delete(t.previous, 0, 1)
		}
		t.previous = append(t.previous, t.active)
	}
	t.active = v
}

// serve tells the home lcore which version is active now.
func (r *Registry) serve(t *tenant, rt Runtime, compiled *wasm.Instance) {
	r.keep(t)
	r.cfg.Post(t.local.Home, Event{Kind: EventVersion, Local: t.local, Version: t.active, Runtime: rt, Compiled: compiled})
}

// Activate makes a version that was deployed serve calls.
func (r *Registry) Activate(name string, hash Hash) error {
	t, err := r.find(name)
	if err != nil {
		return err
	}
	defer t.mu.Unlock()
	return r.activate(t, hash)
}

func (r *Registry) activate(t *tenant, hash Hash) error {
	v := t.version(hash)
	if v == nil {
		return fmt.Errorf("version %v: %w", hash, ErrNoVersion)
	}
	if v == t.active {
		return nil
	}
	rt, compiled, err := r.newRuntime(t, v)
	if err != nil {
		return err
	}
	t.promote(v)
	r.serve(t, rt, compiled)
	return nil
}

func (t *tenant) version(hash Hash) *Version {
	for _, v := range t.versions {
		if v.Hash == hash {
			return v
		}
	}
	return nil
}

// Rollback makes the version that was active before serve calls again, and
// returns it. Rolling back again goes further back.
func (r *Registry) Rollback(name string) (*Version, error) {
	t, err := r.find(name)
	if err != nil {
		return nil, err
	}
	defer t.mu.Unlock()
	return r.rollback(t)
}

func (r *Registry) rollback(t *tenant) (*Version, error) {
	if len(t.previous) == 0 {
		return nil, fmt.Errorf("nothing was active before: %w", ErrNoVersion)
	}
	v := t.previous[len(t.previous)-1]
	rt, compiled, err := r.newRuntime(t, v)
	if err != nil {
		return nil, err
	}
	t.previous = t.previous[:len(t.previous)-1]
	t.active = v
	r.serve(t, rt, compiled)
	return v, nil
}

// DeleteVersion forgets a version that is not active.
func (r *Registry) DeleteVersion(name string, hash Hash) error {
	t, err := r.find(name)
	if err != nil {
		return err
	}
	defer t.mu.Unlock()
	return t.deleteVersion(hash)
}

func (t *tenant) deleteVersion(hash Hash) error {
	v := t.version(hash)
	switch {
	case v == nil:
		return fmt.Errorf("version %v: %w", hash, ErrNoVersion)
	case v == t.active:
		return fmt.Errorf("version %v is active: activate another one first", hash)
	}
	same := func(w *Version) bool { return w == v }
	t.versions = slices.DeleteFunc(t.versions, same)
	t.previous = slices.DeleteFunc(t.previous, same)
	return nil
}

// Versions returns a tenant's versions in order of deployment.
func (r *Registry) Versions(name string) ([]VersionInfo, error) {
	t, err := r.find(name)
	if err != nil {
		return nil, err
	}
	defer t.mu.Unlock()
	return t.versionInfos(), nil
}
