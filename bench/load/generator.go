package load

import (
	"encoding/binary"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"shredder/dataplane/nic"
	"shredder/pktproc/wire"
)

// prebuilder is a queue that keeps frames built ahead, as bench/memif does.
type prebuilder interface {
	Prepare(frame []byte, count int) (pool int, err error)
	AllocPrepared(pool int) (nic.Frame, bool)
}

// preparedFrames is how many frames of each kind such a queue keeps. A flood without
// sessions whose keys they can hold sends them round and round without touching
// them: writing into a line that the server has just read costs the generator a
// transfer between the CPUs, which made it slower than the servers.
const preparedFrames = 16 << 10

// Generator sends the requests of a Config and receives their replies.
type Generator struct {
	cfg       Config
	queue     nic.Queue
	prepared  prebuilder // nil if queue is none
	burst     nic.Burst
	templates []template // of cfg.Mix
	kinds     []uint8    // which template comes when
	turn      int
	keys      stream
	flows     []flow
	nanos     func() int64 // monotonic; a test's own clock
	datagram  int          // where the datagram begins in every frame
	etherType uint16
	neighbour neighbour
	beside    *beside // nil: nothing
	run       run
}

// run is what one measurement counts.
type run struct {
	result   Result
	latency  *hdrhistogram.Histogram
	statuses [wire.Statuses + 1]uint64 // the last one: unknown
	// exact: replies are matched with their requests. Else every
	// floodSample-th one is read for its status.
	exact   bool
	skipped int
	// inFlight is the number of requests that lack a reply.
	inFlight int
}

// floodSample: reading every reply in a flood would cost the generator a cache
// miss a frame and make it slower than some servers.
const floodSample = 8

// flow is a stream of requests from one port: a session, or all trusted traffic.
type flow struct {
	port    uint16
	session uint32
	secret  uint64
	slots   []slot // by seq & (len-1)
	next    uint32 // the next request's sequence number
	oldest  uint32 // the lowest one that lacks its reply
}

// slot is a request in flight. sentNanos is when it was sent or, in an open
// loop, ought to have been.
type slot struct {
	sentNanos int64
	seq       uint32
	open      bool
}

// trustedWindow is how many requests without a session can be in flight.
const trustedWindow = 1 << 16

// New prepares a generator. The queue stays the caller's to close.
func New(queue nic.Queue, cfg Config) (*Generator, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	epoch := time.Now()
	g := &Generator{cfg: cfg, queue: queue, nanos: func() int64 { return int64(time.Since(epoch)) }}
	g.prepared, _ = queue.(prebuilder)
	g.etherType, g.datagram = etherIPv4, etherSize+ipv4Size+udpSize
	if !cfg.Local.IP.Is4() {
		g.etherType, g.datagram = etherIPv6, etherSize+ipv6Size+udpSize
	}
	for _, share := range cfg.Mix {
		t, err := g.template(share.Kind, cfg.OpsPerDatagram)
		if err != nil {
			return nil, err
		}
		g.templates = append(g.templates, t)
	}
	g.kinds = drawKinds(cfg.Mix, cfg.Seed)
	g.keys = stream{draws: drawKeys(cfg.Keys, cfg.Zipf, cfg.Theta, cfg.Seed), tenants: uint32(cfg.Tenants)}
	g.neighbour = newNeighbour(cfg.Local)
	if cfg.Beside != nil {
		var err error
		if g.beside, err = newBeside(&cfg); err != nil {
			return nil, err
		}
	}
	for i, s := range cfg.Sessions {
		g.flows = append(g.flows, flow{
			port: cfg.Local.Port + uint16(i), session: s.ID, secret: s.Secret,
			slots: make([]slot, wire.WindowSize), next: 1, oldest: 1,
		})
	}
	if len(g.flows) == 0 {
		g.flows = []flow{{port: cfg.Local.Port, session: cfg.Tenant, slots: make([]slot, trustedWindow), next: 1, oldest: 1}}
	}
	return g, nil
}

// template builds a template and lets the queue keep it if it can.
func (g *Generator) template(kind Kind, ops int) (template, error) {
	t, err := newTemplate(&g.cfg, kind, ops)
	if err == nil && g.prepared != nil {
		t.pool, err = g.prepared.Prepare(t.frame, preparedFrames)
	}
	return t, err
}

// alloc lends a frame that holds t's bytes, false if the device has no room.
func (g *Generator) alloc(t *template) (nic.Frame, bool) {
	if g.prepared != nil {
		return g.prepared.AllocPrepared(t.pool)
	}
	f, ok := g.queue.Alloc()
	if ok {
		f.Len = copy(f.Data, t.frame)
	}
	return f, ok
}

// send stages the next request of flow, or reports false if the device has no
// room for it. It takes the flow's next sequence number and opens its slot.
func (g *Generator) send(fl *flow, nanos int64) bool {
	t := &g.templates[g.kinds[g.turn&(len(g.kinds)-1)]]
	f, ok := g.alloc(t)
	if !ok {
		return false
	}
	g.turn++
	seq := fl.next
	fl.next++
	switch {
	case g.run.exact || g.prepared == nil || fl.secret != 0 || t.filled < preparedFrames:
		t.filled++
		t.patch(f.Data, fl, seq, &g.keys)
	case !g.holdsAllKeys():
		t.patchKeys(f.Data, fl, &g.keys)
	}
	if g.run.exact {
		fl.slots[int(seq)&(len(fl.slots)-1)] = slot{sentNanos: nanos, seq: seq, open: true}
		g.run.inFlight++
	}
	g.queue.Send(f)
	g.run.result.Sent++
	return true
}

// holdsAllKeys says whether the frames of a template have room for every key.
func (g *Generator) holdsAllKeys() bool {
	return g.cfg.Keys*max(g.cfg.Tenants, 1) <= preparedFrames*g.cfg.OpsPerDatagram
}

// window says whether flow may send: its oldest request in flight must not be
// a whole window behind.
func (fl *flow) window() bool { return fl.next-fl.oldest < uint32(len(fl.slots)) }

// advance moves oldest past answered requests, and past those sent before
// deadline, which are lost. It returns how many were lost.
func (fl *flow) advance(deadline int64) (lost int) {
	for fl.oldest != fl.next {
		s := &fl.slots[int(fl.oldest)&(len(fl.slots)-1)]
		if s.open && s.seq == fl.oldest {
			if s.sentNanos > deadline {
				break
			}
			s.open = false
			lost++
		}
		fl.oldest++
	}
	return lost
}

// poll sends what is staged, receives one burst and books its frames. It
// returns how many came.
func (g *Generator) poll() int {
	if g.beside != nil {
		g.beside.send(g.queue, g.nanos())
	}
	n := g.queue.RxBurst(&g.burst)
	if n > 0 {
		if g.run.exact {
			now := g.nanos()
			for i := range n {
				g.receive(&g.burst.Frames[i], now)
			}
		} else {
			g.sample(n)
		}
	}
	g.queue.TxBurst(&g.burst)
	return n
}

// sample counts n frames of a flood, reading one in floodSample.
func (g *Generator) sample(n int) {
	g.run.result.Received += uint64(n)
	g.run.skipped += n
	for i := n - 1; g.run.skipped >= floodSample && i >= 0; i -= floodSample {
		g.run.skipped -= floodSample
		f := &g.burst.Frames[i]
		if _, _, ok := g.reply(f); ok {
			g.countStatuses(f)
		} else if g.neighbour.answer(f) {
			g.run.result.Received--
		} else {
			g.run.result.Foreign++
		}
	}
}

// receive books one frame: a reply, or something else on this network.
func (g *Generator) receive(f *nic.Frame, now int64) {
	port, h, ok := g.reply(f)
	if !ok {
		if !g.neighbour.answer(f) {
			g.run.result.Foreign++
		}
		return
	}
	g.run.result.Received++
	fl := &g.flows[port-g.cfg.Local.Port]
	seq := h.Seq()
	s := &fl.slots[int(seq)&(len(fl.slots)-1)]
	if !s.open || s.seq != seq {
		g.run.result.Duplicates++
		return
	}
	s.open = false
	g.run.inFlight--
	if g.run.latency != nil {
		_ = g.run.latency.RecordValue(min(max(now-s.sentNanos, 1), maxLatencyNanos)) // in range by construction
	}
	g.countStatuses(f)
}

// reply finds the datagram of ours in a frame: its destination port and header;
// ok is false for every other frame.
func (g *Generator) reply(f *nic.Frame) (port uint16, h wire.Header, ok bool) {
	if f.Len < g.datagram+wire.HeaderSize || binary.BigEndian.Uint16(f.Data[12:]) != g.etherType {
		return 0, nil, false
	}
	port = binary.BigEndian.Uint16(f.Data[g.datagram-udpSize+2:])
	h = wire.MakeHeader(f.Data[g.datagram:f.Len])
	flow := int(port) - int(g.cfg.Local.Port)
	return port, h, flow >= 0 && flow < len(g.flows) && (g.cfg.Echo || h.Flags()&wire.FlagReply != 0)
}

// countStatuses counts the status of a reply's datagram, or if that is OK those
// of its operations.
func (g *Generator) countStatuses(f *nic.Frame) {
	h, ops, status := wire.Parse(f.Data[g.datagram:f.Len])
	if status == wire.StatusOK {
		status = h.Status()
	}
	if status != wire.StatusOK {
		g.count(status)
		return
	}
	for op, rest, ok := wire.FirstOp(ops); ok; op, rest, ok = wire.FirstOp(rest) {
		g.count(op.Status())
	}
}

func (g *Generator) count(s wire.Status) { g.run.statuses[min(int(s), wire.Statuses)]++ }
