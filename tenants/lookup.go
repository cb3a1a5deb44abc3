package tenants

import "fmt"

// Find returns the tenant of that name. Only its constant fields may be read.
func (r *Registry) Find(name string) (*Local, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.byName[name]
	if t == nil || r.byID[t.local.ID] != t {
		return nil, false
	}
	return t.local, true
}

// Serves reports whether l has not been deleted.
func (r *Registry) Serves(l *Local) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.byID[l.ID]
	return t != nil && t.local == l
}

// ActiveVersion returns the version that serves a tenant's calls, or nil if none does.
func (r *Registry) ActiveVersion(name string) (*Version, error) {
	t, err := r.find(name)
	if err != nil {
		return nil, err
	}
	defer t.mu.Unlock()
	return t.active, nil
}

// Deactivate takes a tenant's functions away: no version is active. Rollback
// brings the one back that was.
func (r *Registry) Deactivate(name string) error {
	t, err := r.find(name)
	if err != nil {
		return err
	}
	defer t.mu.Unlock()
	if t.active == nil {
		return fmt.Errorf("tenant %q has no library: %w", name, ErrNoVersion)
	}
	t.promote(nil)
	r.runtimes.drop(t)
	r.cfg.Post(t.local.Home, Event{Kind: EventVersion, Local: t.local})
	return nil
}
