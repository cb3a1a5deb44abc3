package tenants

import "sync"

// runtimeClock bounds how many tenants have a runtime at once. It is the clock
// form of least recently used (Corbató 1968): the hand passes over tenants that
// have been called since it last came by, and takes the runtime of the first
// that has not. So the lcores keep no list: what is read is the counter of
// calls that they publish anyway.
type runtimeClock struct {
	limit int

	mu   sync.Mutex
	ring []*tenant
	hand int
}

// add notes that t has a runtime and returns the tenants that lose theirs.
func (c *runtimeClock) add(t *tenant) (evicted []*tenant) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.clockAt < 0 {
		t.clockAt = len(c.ring)
		c.ring = append(c.ring, t)
	}
	t.seenCalls = t.calls()
	for len(c.ring) > c.limit {
		victim := c.next(t)
		if victim == nil {
			break
		}
		c.remove(victim)
		evicted = append(evicted, victim)
	}
	return evicted
}

func (t *tenant) calls() uint64 { return t.local.published.counters[CounterCalls].Load() }

// next moves the hand to a tenant that has been idle since it was last there.
// After two turns the one under the hand is taken, whoever it is, but never spare.
func (c *runtimeClock) next(spare *tenant) *tenant {
	for turn := 0; turn <= 2*len(c.ring); turn++ {
		t := c.ring[c.hand%len(c.ring)]
		calls := t.calls()
		if t != spare && (calls == t.seenCalls || turn >= 2*len(c.ring)-1) {
			return t
		}
		t.seenCalls = calls
		c.hand = (c.hand + 1) % len(c.ring)
	}
	return nil
}

// drop forgets a tenant that has no runtime any more.
func (c *runtimeClock) drop(t *tenant) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.clockAt >= 0 {
		c.remove(t)
	}
}

// remove fills t's place with the last of the ring.
func (c *runtimeClock) remove(t *tenant) {
	last := len(c.ring) - 1
	c.ring[t.clockAt] = c.ring[last]
	c.ring[t.clockAt].clockAt = t.clockAt
	c.ring[last] = nil
	c.ring = c.ring[:last]
	t.clockAt = -1
	if c.hand >= last {
		c.hand = 0
	}
}

func (c *runtimeClock) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.ring)
}

// keep notes that t has a runtime now, and takes idle ones away for it.
func (r *Registry) keep(t *tenant) {
	for _, idle := range r.runtimes.add(t) {
		r.Stats.RuntimesEvicted.Add(1)
		r.cfg.Post(idle.local.Home, Event{Kind: EventVisit, Local: idle.local, Visit: dropRuntime})
	}
}

// dropRuntime leaves the runtime to the garbage collector. A call that is
// suspended in it ends in it.
func dropRuntime(l *Local) { l.Engine.Drop() }

// Runtimes returns how many tenants have a runtime.
func (r *Registry) Runtimes() int { return r.runtimes.len() }
