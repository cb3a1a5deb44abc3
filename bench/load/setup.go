package load

import (
	"encoding/binary"
	"fmt"
	"time"

	"shredder/dataplane/nic"
	"shredder/pktproc/wire"
)

// patience bounds an exchange; askAgain is the pause before a retry.
const (
	patience = 3 * time.Second
	askAgain = 100 * time.Millisecond
)

// Hello opens count sessions of a tenant, from Local.Port on, and puts them
// into the returned copy of cfg. The token is nil for a tenant without one.
func Hello(queue nic.Queue, cfg Config, tenant string, token []byte, count int) (Config, error) {
	cfg.Sessions = nil
	for i := range count {
		local := cfg.Local
		local.Port += uint16(i)
		s, err := hello(queue, local, cfg.Remote, tenant, token, [2]uint64{cfg.Seed + uint64(i), uint64(time.Now().UnixNano())})
		if err != nil {
			return cfg, fmt.Errorf("load: session %d of tenant %s: %w", i, tenant, err)
		}
		cfg.Sessions = append(cfg.Sessions, s)
	}
	return cfg, nil
}

func hello(queue nic.Queue, local, remote Endpoint, tenant string, token []byte, nonce [2]uint64) (Session, error) {
	op, err := exchange(queue, local, remote, wire.HeaderFields{}, func(w *wire.Writer) {
		w.Begin(wire.OpHello, 0, 0)
		w.Word(1)
		w.Value(make([]byte, wire.MinHello1))
	})
	if err != nil {
		return Session{}, err
	}
	cookie := append([]byte(nil), op.Value()...)
	if op.Status() != wire.StatusOK || len(cookie) != wire.CookieSize {
		return Session{}, fmt.Errorf("first hello: %v %s", op.Status(), op.Value())
	}
	proof := wire.MakeProof(token, cookie, nonce, wire.RoleData, []byte(tenant))
	op, err = exchange(queue, local, remote, wire.HeaderFields{}, func(w *wire.Writer) {
		w.Begin(wire.OpHello, 0, 0)
		w.Word(2)
		w.Word(wire.RoleData)
		w.Word(nonce[0])
		w.Word(nonce[1])
		w.Key([]byte(tenant))
		w.Value(cookie)
		w.Value(proof[:])
	})
	if err != nil {
		return Session{}, err
	}
	if op.Status() != wire.StatusOK {
		return Session{}, fmt.Errorf("second hello: %v %s", op.Status(), op.Value())
	}
	s := Session{ID: uint32(op.Word(1)), Tenant: uint32(op.Word(2))}
	secret, ok := wire.OpenSecret(op.Value(), token, cookie, nonce, s.ID, s.Tenant)
	if !ok {
		return Session{}, fmt.Errorf("second hello: the server does not know the token")
	}
	s.Secret = secret
	return s, nil
}

// CallTier makes one trusted call and returns the tier that ran it, as its receipt says.
func CallTier(queue nic.Queue, local, remote Endpoint, tenant uint32, function string, args []byte) (uint64, error) {
	op, err := exchange(queue, local, remote, wire.HeaderFields{Flags: wire.FlagTrusted | wire.FlagReceipt, Session: tenant}, func(w *wire.Writer) {
		w.Begin(wire.OpCall, 0, 0)
		w.Key([]byte(function))
		w.Value(args)
	})
	if err != nil {
		return 0, err
	}
	receipt, ok := op.Receipt()
	if op.Status() != wire.StatusOK || !ok {
		return 0, fmt.Errorf("load: %s of tenant %d: %v %s", function, tenant, op.Status(), op.Value())
	}
	return receipt.Tier, nil
}

// exchange sends one datagram without a secret until its reply comes, and returns
// a copy of the reply's first operation. The sequence number is given here.
func exchange(queue nic.Queue, local, remote Endpoint, fields wire.HeaderFields, build func(*wire.Writer)) (wire.Op, error) {
	w := wire.NewWriter(make([]byte, wire.MaxDatagram))
	build(&w)
	w.End()
	if w.Overflow() {
		return nil, fmt.Errorf("the request does not fit a datagram")
	}
	var t template
	fields.Seq = 1
	t.setDatagram(local, remote, w.Finish(fields))
	if t.sum {
		t.putChecksum(t.frame)
	}
	n := newNeighbour(local)
	var b nic.Burst
	start := time.Now()
	for asked := time.Duration(-1); time.Since(start) < patience; {
		if since := time.Since(start); asked < 0 || since-asked > askAgain {
			asked = since
			if f, ok := queue.Alloc(); ok {
				f.Len = copy(f.Data, t.frame)
				queue.Send(f)
			}
		}
		queue.RxBurst(&b)
		var op wire.Op
		var err error
		for i := range b.N {
			f := &b.Frames[i]
			if f.Len >= t.datagram && f.Data[t.datagram-udpSize+2] == byte(local.Port>>8) && f.Data[t.datagram-udpSize+3] == byte(local.Port) && !n.answer(f) {
				op, err = firstOp(f.Data[t.datagram:f.Len])
			}
		}
		queue.TxBurst(&b)
		if op != nil || err != nil {
			return op, err
		}
	}
	return nil, fmt.Errorf("no reply within %v", patience)
}

// firstOp copies the first operation out of a reply.
func firstOp(datagram []byte) (wire.Op, error) {
	h, ops, status := wire.Parse(append([]byte(nil), datagram...))
	if status == wire.StatusOK {
		status = h.Status()
	}
	if status != wire.StatusOK {
		return nil, fmt.Errorf("refused: %v", status)
	}
	op, _, ok := wire.FirstOp(ops)
	if !ok {
		return nil, fmt.Errorf("an empty reply")
	}
	return op, nil
}

// preloadDepth is how many datagrams a preload keeps in flight.
const preloadDepth = 32

// chunk is one datagram of a preload: SETs of the keys from first on.
type chunk struct {
	seq       uint32
	first     uint32
	tenant    uint32
	sentNanos int64
	open      bool
}

// Preload sets all keys of all tenants, repeating what gets lost, and returns
// when each has been acknowledged. Anything but OK is an error.
func (g *Generator) Preload() error {
	cfg := g.cfg
	perKey := wire.OpHeaderSize + max(8, cfg.KeySize+7) + cfg.ValueSize + 7
	ops := max(1, min(wire.MaxOps, cfg.Keys, (wire.MaxDatagram-wire.HeaderSize)/perKey))
	t, err := g.template(Set, ops)
	if err != nil {
		return err
	}
	fl := &g.flows[0]
	keys := stream{draws: make([]uint32, wire.MaxOps), tenants: 1}
	chunks := make([]chunk, preloadDepth)
	first, tenant := uint32(0), uint32(0)
	for open := true; open; {
		now := g.nanos()
		open = false
		for i := range chunks {
			c := &chunks[i]
			if !c.open {
				if tenant == uint32(cfg.Tenants) {
					continue
				}
				*c = chunk{first: first, tenant: tenant, open: true, sentNanos: -lossNanos}
				if first += uint32(ops); first >= uint32(cfg.Keys) {
					first, tenant = 0, tenant+1
				}
			}
			open = true
			if now-c.sentNanos >= lossNanos {
				g.sendChunk(&t, fl, c, &keys, now)
			}
		}
		if err := g.receiveChunks(chunks); err != nil {
			return err
		}
		fl.oldest = lowest(chunks, fl.next)
	}
	return nil
}

// sendChunk sends c under a new sequence number; the keys of the last chunk
// wrap around to 0.
func (g *Generator) sendChunk(t *template, fl *flow, c *chunk, keys *stream, now int64) {
	f, ok := g.alloc(t)
	if !ok {
		return
	}
	keys.at = ^uint32(0) // the next draw is draws[0]
	for i := range t.keyOffs {
		keys.draws[i] = uint32((uint64(c.first) + uint64(i)) % uint64(g.cfg.Keys))
	}
	c.seq = fl.next
	c.sentNanos = now
	fl.next++
	t.patch(f.Data, fl, c.seq, keys)
	if len(g.cfg.Sessions) == 0 {
		binary.LittleEndian.PutUint32(f.Data[t.datagram+sessionOff:], g.cfg.Tenant+c.tenant)
	}
	if t.sum {
		t.putChecksum(f.Data[:f.Len])
	}
	g.queue.Send(f)
}

// receiveChunks closes the chunks whose replies came.
func (g *Generator) receiveChunks(chunks []chunk) error {
	var failed error
	g.queue.RxBurst(&g.burst)
	for i := range g.burst.N {
		f := &g.burst.Frames[i]
		_, h, ok := g.reply(f)
		if !ok {
			g.neighbour.answer(f)
			continue
		}
		for j := range chunks {
			c := &chunks[j]
			if !c.open || c.seq != h.Seq() {
				continue
			}
			c.open = false
			if err := allOK(f.Data[g.datagram:f.Len]); err != nil {
				failed = fmt.Errorf("load: preloading tenant %d from key %d: %w", g.cfg.Tenant+c.tenant, c.first, err)
			}
		}
	}
	g.queue.TxBurst(&g.burst)
	return failed
}

func allOK(datagram []byte) error {
	h, ops, status := wire.Parse(datagram)
	if status == wire.StatusOK {
		status = h.Status()
	}
	for op, rest, ok := wire.FirstOp(ops); ok && status == wire.StatusOK; op, rest, ok = wire.FirstOp(rest) {
		status = op.Status()
	}
	if status != wire.StatusOK {
		return fmt.Errorf("status %v", status)
	}
	return nil
}

// lowest is the lowest sequence number of an open chunk, or next.
func lowest(chunks []chunk, next uint32) uint32 {
	low := next
	for i := range chunks {
		if c := &chunks[i]; c.open && c.seq != 0 && next-c.seq > next-low {
			low = c.seq
		}
	}
	return low
}
