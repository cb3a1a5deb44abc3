package tenants

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// Info is a tenant as lists show it. Counters and memory are as last published.
type Info struct {
	ID            uint32            `json:"id"`
	Name          string            `json:"name"`
	Home          int               `json:"home"`
	Quota         uint64            `json:"quota"`
	Trust         string            `json:"trust"`
	DataToken     bool              `json:"data_token"`
	DeployToken   bool              `json:"deploy_token"`
	Trusted       []string          `json:"trusted_sources,omitempty"`
	ActiveVersion string            `json:"active_version,omitempty"`
	Versions      int               `json:"versions"`
	Memory        Memory            `json:"memory"`
	Counters      map[string]uint64 `json:"counters"`
}

// List returns all tenants by name.
func (r *Registry) List() []Info {
	r.mu.Lock()
	all := make([]*tenant, 0, len(r.byID))
	for _, t := range r.byID {
		all = append(all, t)
	}
	r.mu.Unlock()
	infos := make([]Info, 0, len(all))
	for _, t := range all {
		infos = append(infos, t.info())
	}
	slices.SortFunc(infos, func(a, b Info) int { return cmp.Compare(a.Name, b.Name) })
	return infos
}

func (t *tenant) info() Info {
	l := t.local
	in := Info{ID: l.ID, Name: l.Name, Home: l.Home, Quota: t.quota,
		DataToken: len(l.DataToken) != 0, DeployToken: len(l.DeployToken) != 0,
		Memory: l.PublishedMemory(), Counters: map[string]uint64{}}
	for _, p := range l.Trusted {
		in.Trusted = append(in.Trusted, p.String())
	}
	for c, n := range l.Published() {
		in.Counters[Counter(c).String()] = n
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	in.Trust = t.trust.String()
	in.Versions = len(t.versions)
	if t.active != nil {
		in.ActiveVersion = t.active.Hash.String()
	}
	return in
}

// Len returns the number of tenants.
func (r *Registry) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.byID)
}

// Totals adds up what all tenants have published, and what deleted ones had counted.
func (r *Registry) Totals() (sum Counters, memory Memory) {
	r.mu.Lock()
	defer r.mu.Unlock()
	sum = r.past
	for _, t := range r.byID {
		for i := range sum {
			sum[i] += t.local.published.counters[i].Load()
		}
		m := t.local.PublishedMemory()
		memory.Keys += m.Keys
		memory.Used += m.Used
		memory.Stored += m.Stored
	}
	return sum, memory
}

// Logs copies up to limit of a tenant's log records from number from on, and
// returns the number to go on with. It asks the home lcore, which alone may read them.
func (r *Registry) Logs(ctx context.Context, name string, from uint64, limit int) (records []LogRecord, next uint64, err error) {
	type answer struct {
		records []LogRecord
		next    uint64
	}
	a := new(answer) // not shared with this frame: the visit may come after ctx has ended
	done := make(chan struct{})
	r.mu.Lock()
	t := r.byName[name]
	if t == nil || r.byID[t.local.ID] != t {
		r.mu.Unlock()
		return nil, 0, fmt.Errorf("tenant %q: %w", name, ErrNoTenant)
	}
	r.cfg.Post(t.local.Home, Event{Kind: EventVisit, Local: t.local, done: done, Visit: func(l *Local) {
		a.next = max(from, l.Log.First())
		for len(a.records) < limit {
			rec, ok := l.Log.At(a.next)
			if !ok {
				break
			}
			rec.Text = slices.Clone(rec.Text)
			a.records = append(a.records, rec)
			a.next++
		}
	}})
	r.mu.Unlock()
	select {
	case <-done:
		return a.records, a.next, nil
	case <-ctx.Done():
		return nil, 0, fmt.Errorf("tenant %q: its lcore does not answer: %w", name, ctx.Err())
	}
}
