package resp

import (
	"cmp"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"shredder/tenants"
)

// space is what the front door keeps for a tenant: who listens with MONITOR, the
// slow log and the histograms. It is there from a tenant's first connection until
// the tenant is deleted and the last has gone.
type space struct {
	local    *tenants.Local
	users    int // connections; under Server.mu
	monitors atomic.Pointer[[]*monitor]

	mu     sync.Mutex
	slow   []slowEntry // the newest last
	nextID int64
	timing map[*command]*histogram
}

// Slow log, as Redis is configured by default.
const (
	slowlogMax   = 128
	slowlogNanos = 10_000_000
	slowArgs     = 32
	slowArg      = 128
)

type slowEntry struct {
	id      int64
	unix    int64
	nanos   int64
	args    []string
	address string
	name    string
}

// histogram counts calls by the power of two of their microseconds.
type histogram struct {
	calls   uint64
	buckets [40]uint64
}

func (h *histogram) record(nanos int64) {
	h.calls++
	h.buckets[min(bits.Len64(uint64(max(nanos, 1)-1)/1000), len(h.buckets)-1)]++
}

// spaceOf takes a tenant's space for one connection.
func (s *Server) spaceOf(l *tenants.Local) *space {
	s.mu.Lock()
	defer s.mu.Unlock()
	sp := s.spaces[l.ID]
	if sp == nil || sp.local != l {
		sp = &space{local: l, timing: map[*command]*histogram{}}
		s.spaces[l.ID] = sp
	}
	sp.users++
	return sp
}

func (s *Server) release(sp *space) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sp.users--
}

// sweepSpaces forgets deleted tenants.
func (s *Server) sweepSpaces() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, sp := range s.spaces {
		if sp.users == 0 && !s.cfg.Registry.Serves(sp.local) {
			delete(s.spaces, id)
		}
	}
}

// connsOf returns a tenant's connections by id.
func (s *Server) connsOf(l *tenants.Local) (all []*conn) {
	s.each(func(c *conn) {
		if c.of.Load() == l {
			all = append(all, c)
		}
	})
	slices.SortFunc(all, func(a, b *conn) int { return cmp.Compare(a.id, b.id) })
	return all
}

// record books how long the commands of a batch took. Those that ended in the turn
// in which they began count as a microsecond: the lcore reads its clock once a turn.
func (c *conn) record(items []item) {
	sp := c.space
	if sp == nil {
		return
	}
	sp.mu.Lock()
	defer sp.mu.Unlock()
	for i := range items {
		it := &items[i]
		h := sp.timing[it.cmd]
		if h == nil {
			h = new(histogram)
			sp.timing[it.cmd] = h
		}
		h.record(it.nanos)
		if it.nanos > slowlogNanos {
			sp.addSlow(c, it)
		}
	}
}

func (sp *space) addSlow(c *conn, it *item) {
	e := slowEntry{id: sp.nextID, unix: time.Now().Unix(), nanos: it.nanos, address: c.addr, name: c.info.getName()}
	for i, a := range it.args {
		if i == slowArgs-1 && len(it.args) > slowArgs {
			e.args = append(e.args, moreArgs(len(it.args)-i))
			break
		}
		e.args = append(e.args, cutArg(a))
	}
	sp.nextID++
	if len(sp.slow) == slowlogMax {
		sp.slow = slices.Delete(sp.slow, 0, 1)
	}
	sp.slow = append(sp.slow, e)
}

// count is how often a command was called.
type count struct {
	name  string
	calls uint64
}

func (sp *space) counts() (all []count) {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	for cmd, h := range sp.timing {
		all = append(all, count{cmd.name, h.calls})
	}
	slices.SortFunc(all, func(a, b count) int { return cmp.Compare(a.name, b.name) })
	return all
}

func (sp *space) forgetCounts() {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	clear(sp.timing)
}
