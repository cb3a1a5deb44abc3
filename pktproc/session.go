package pktproc

import "shredder/pktproc/wire"

// A session's id is lcore ‖ slot ‖ generation, so any lcore knows where it is
// at home, and a slot's next session has another id.
const (
	lcoreBits      = 6
	slotBits       = 18
	generationBits = 8

	// MaxLcores and MaxSessions follow from the id's layout.
	MaxLcores   = 1 << lcoreBits
	MaxSessions = 1 << slotBits // on each lcore
)

func makeSessionID(lcore int, slot uint32, generation uint8) uint32 {
	return uint32(lcore)<<(slotBits+generationBits) | slot<<generationBits | uint32(generation)
}

func sessionLcore(id uint32) int   { return int(id >> (slotBits + generationBits)) }
func sessionSlot(id uint32) uint32 { return id >> generationBits & (MaxSessions - 1) }

// session is one session, in one cache line and without pointers: what a
// request shows (address, port, secret) is checked with one miss, and the
// garbage collector never looks.
type session struct {
	addr   [2]uint64 // the client's address, IPv4 in its IPv4-mapped form, as memory words
	secret uint64
	// The delivery window: bit seq&63 of taken says that seq, from base to
	// base+63, was executed or is being executed; of pending, the latter.
	taken   uint64
	pending uint64
	base    uint32
	id      uint32 // 0: the slot is free
	tenant  uint32 // slot of the tenant on this lcore
	serial  uint32 // of the tenant in that slot
	seen    uint32 // second of the last request
	port    uint16 // as it stands in memory
	role    uint8
	pushes  uint8
}

// sessions is an lcore's table of them.
type sessions struct {
	lcore      int
	slots      []session
	records    []recordRef // WindowSize a slot: recorded replies
	generation []uint8
	free       []uint32
	used       uint32 // no slot from this one on was ever taken
	hand       uint32 // where the search for an idle one goes on
}

// evictScan is how many slots one search for an idle session looks at.
const evictScan = 256

func newSessions(lcore, count int) sessions {
	t := sessions{
		lcore:      lcore,
		slots:      make([]session, count),
		records:    make([]recordRef, count*wire.WindowSize),
		generation: make([]uint8, count),
		free:       make([]uint32, count),
	}
	for i := range t.free {
		t.free[i] = uint32(count - 1 - i)
	}
	return t
}

// at returns the slot that id names, or nil if there is no such slot. Whether
// it holds this session, the caller compares.
func (t *sessions) at(id uint32) *session {
	slot := sessionSlot(id)
	if slot >= uint32(len(t.slots)) {
		return nil
	}
	return &t.slots[slot]
}

// live returns session id if it exists.
func (t *sessions) live(id uint32) *session {
	if s := t.at(id); s != nil && s.id == id && id != 0 {
		return s
	}
	return nil
}

// alloc takes a free slot and gives it a new id.
func (t *sessions) alloc() (*session, bool) {
	if len(t.free) == 0 {
		return nil, false
	}
	slot := t.free[len(t.free)-1]
	t.free = t.free[:len(t.free)-1]
	t.generation[slot]++
	if t.generation[slot] == 0 {
		t.generation[slot] = 1 // keeps id 0 for "none"
	}
	t.used = max(t.used, slot+1)
	s := &t.slots[slot]
	*s = session{id: makeSessionID(t.lcore, slot, t.generation[slot]), base: 1}
	return s, true
}

// next moves the hand over the slots that were ever taken, of which there must be one.
func (t *sessions) next() *session {
	if t.hand >= t.used {
		t.hand = 0
	}
	t.hand++
	return &t.slots[t.hand-1]
}

// idlest looks at the next evictScan slots and returns the session there, of
// tenant if that is not nil, that has been quiet longest, if for at least
// minSeconds and with nothing pending. It is CLOCK's approximation of least
// recently used, with a bounded search.
func (t *sessions) idlest(nowSeconds, minSeconds uint32, tenant *tenant) *session {
	var best *session
	for range min(evictScan, t.used) {
		s := t.next()
		if s.id == 0 || s.pending != 0 || nowSeconds-s.seen < minSeconds ||
			tenant != nil && (s.tenant != tenant.slot || s.serial != tenant.serial) {
			continue
		}
		if best == nil || s.seen < best.seen {
			best = s
		}
	}
	return best
}

// window returns the recorded replies of s.
func (t *sessions) window(s *session) []recordRef {
	at := int(sessionSlot(s.id)) * wire.WindowSize
	return t.records[at : at+wire.WindowSize : at+wire.WindowSize]
}

// free makes s's slot free. Its records are gone already.
func (t *sessions) release(s *session) {
	t.free = append(t.free, sessionSlot(s.id))
	*s = session{}
}

// dropSession ends s: its recorded replies, pushes and kept results with it.
func (p *Processor) dropSession(s *session) {
	t := p.tenantOf(s)
	p.freeRecords(s, t, ^uint64(0))
	if s.pushes > 0 {
		p.pushes.dropSession(p, s.id)
	}
	if t != nil {
		t.sessions--
		p.dropResults(t, s.id, 0, true)
	}
	p.n.Sessions--
	p.sessions.release(s)
}

// tenantOf returns the tenant that s was opened for, or nil if it is gone.
func (p *Processor) tenantOf(s *session) *tenant {
	if t := p.tenantAt(s.tenant); t != nil && t.serial == s.serial {
		return t
	}
	return nil
}

// evictSession drops an idle session, of t if that is not nil.
func (p *Processor) evictSession(t *tenant) bool {
	idle := p.sessions.idlest(p.now.seconds(), p.cfg.Limits.SessionMinIdleSeconds, t)
	if idle == nil {
		return false
	}
	p.dropSession(idle)
	p.n.SessionsEvicted++
	return true
}

// openSession makes room if there is none and opens a session of t. A tenant
// that has all it may have loses its own: clients that come and go leave
// sessions behind, which must not lock out the next ones until they expire.
func (p *Processor) openSession(t *tenant) (*session, bool) {
	if t.sessions >= p.cfg.Limits.SessionsPerTenant && !p.evictSession(t) {
		return nil, false
	}
	s, ok := p.sessions.alloc()
	if !ok {
		if !p.evictSession(nil) {
			return nil, false
		}
		if s, ok = p.sessions.alloc(); !ok {
			return nil, false
		}
	}
	s.tenant, s.serial, s.seen = t.slot, t.serial, p.now.seconds()
	t.sessions++
	p.n.Sessions++
	p.n.SessionsOpened++
	return s, true
}

// sweepSessions drops, of the next count slots, the sessions that have been
// quiet too long or whose tenant is gone.
func (p *Processor) sweepSessions(count int) {
	t := &p.sessions
	now := p.now.seconds()
	for range min(count, int(t.used)) {
		s := t.next()
		if s.id == 0 || s.pending != 0 {
			continue
		}
		if now-s.seen >= p.cfg.Limits.SessionIdleSeconds || p.tenantOf(s) == nil {
			p.dropSession(s)
			p.n.SessionsEvicted++
		}
	}
}
