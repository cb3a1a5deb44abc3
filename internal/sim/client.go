package sim

import (
	"fmt"
	"math/rand/v2"

	"shredder/pktproc/wire"
)

// Client timers in simulated nanoseconds.
const (
	helloRetryNanos = 20e6
	readRetryNanos  = 20e6
	writeRetryNanos = 60e6 // sooner than a client would, so that duplicates of running calls are met
	thinkNanos      = 1e6
)

type phase uint8

const (
	phaseHello1 phase = iota
	phaseHello2
	phaseReady
)

// client is one simulated client: a session, one request in flight, a model of
// its own keys.
type client struct {
	endpoint
	world  *world
	id     int
	tenant *simTenant
	random *rand.Rand

	phase      phase
	cookie     []byte
	nonce      [2]uint64
	session    uint32
	secret     uint64
	serverPort uint16
	seq        uint32

	model   *model
	steps   []step
	atomic  bool
	payload []byte // the datagram in flight, nil: none
	writes  bool   // it changes something
	retryAt int64
	retries int

	increments int64 // acknowledged increments of the tenant's counter
	answered   int
	statuses   map[wire.Status]int // seen so far: a run that tests nothing shows
}

// act is called whenever the schedule picks this client.
func (c *client) act() {
	now := c.world.now.MonoNanos
	switch {
	case c.payload != nil && now >= c.retryAt:
		c.retries++
		c.transmit()
	case c.payload == nil && now >= c.retryAt && !c.world.draining:
		c.compose()
		c.transmit()
	}
}

func (c *client) idle() bool { return c.payload == nil }

func (c *client) transmit() {
	wait := int64(readRetryNanos)
	if c.phase != phaseReady {
		wait = helloRetryNanos
	} else if c.writes {
		wait = writeRetryNanos
	}
	c.retryAt = c.world.now.MonoNanos + wait
	to := c.world.server(c.addr.Is6())
	to.port = c.serverPort
	if c.random.IntN(8) == 0 { // a request may arrive at any lcore
		to.port = c.world.basePort + uint16(c.random.IntN(c.world.lcores))
	}
	c.world.wire.Inject(udpFrame(c.endpoint, to, c.payload))
}

// compose writes the next datagram.
func (c *client) compose() {
	w := wire.NewWriter(make([]byte, 0, wire.MaxDatagram))
	fields := wire.HeaderFields{Session: c.session, Secret: c.secret}
	switch c.phase {
	case phaseHello1:
		w.Begin(wire.OpHello, 0, 0)
		w.Word(1)
		w.Value(make([]byte, wire.MinHello1-wire.HeaderSize-wire.OpHeaderSize-8))
		w.End()
		fields.Session, fields.Secret = 0, 0
	case phaseHello2:
		c.nonce = [2]uint64{c.random.Uint64(), c.random.Uint64()}
		proof := wire.MakeProof(c.tenant.token, c.cookie, c.nonce, wire.RoleData, []byte(c.tenant.name))
		w.Begin(wire.OpHello, 0, 0)
		w.Word(2)
		w.Word(wire.RoleData)
		w.Word(c.nonce[0])
		w.Word(c.nonce[1])
		w.Key([]byte(c.tenant.name))
		w.Value(append(append([]byte{}, c.cookie...), proof[:]...))
		w.End()
		fields.Session, fields.Secret = 0, 0
	case phaseReady:
		c.seq++
		fields.Seq, fields.First = c.seq, c.seq
		c.chooseSteps()
		if c.atomic {
			fields.Flags |= wire.FlagAtomic
		}
		c.writes = false
		for _, s := range c.steps {
			writeStep(&w, s)
			switch s.code {
			case wire.OpGet, wire.OpMultiGet:
			default:
				c.writes = true
			}
		}
	}
	c.retries = 0
	c.payload = append([]byte{}, w.Finish(fields)...)
	if w.Overflow() {
		panic("sim: a composed request does not fit a datagram")
	}
}

func writeStep(w *wire.Writer, s step) {
	w.Begin(s.code, s.flags, 0)
	switch s.code {
	case wire.OpSet:
		if s.flags&wire.OpFlagIfVersion != 0 {
			w.Word(0)
			w.Word(s.ifVersion)
		}
	case wire.OpDelete:
		if s.flags&wire.OpFlagIfVersion != 0 {
			w.Word(s.ifVersion)
		}
	case wire.OpIncr:
		w.Word(uint64(s.delta))
	case wire.OpCAS:
		w.Word(uint64(len(s.expected)))
	case wire.OpMultiGet:
		w.Word(uint64(len(s.keys)))
		var items []byte
		for _, k := range s.keys {
			items = appendItem(items, k)
		}
		w.Value(items)
	case wire.OpKill:
		w.Word(0)
		w.Word(0)
	}
	switch {
	case s.function != "":
		w.Key([]byte(s.function))
	case s.key != "":
		if n, ok := integerKey(s.key); ok {
			w.IntKey(n)
		} else {
			w.Key([]byte(s.key))
		}
	}
	if s.code == wire.OpCAS {
		w.Value(s.expected)
	}
	if s.code == wire.OpCall {
		w.Value(callArgs(s))
	} else if s.value != nil {
		w.Value(s.value)
	}
	w.End()
}

func callArgs(s step) []byte {
	var args []byte
	args = appendKeyArg(args, s.key)
	switch s.function {
	case "pair":
		args = appendKeyArg(args, string(s.extra))
		args = wire.AppendBytes(args, s.value)
		args = wire.AppendInt(args, s.turns)
	case "slow":
		args = wire.AppendBytes(args, s.value)
		args = wire.AppendInt(args, s.turns)
	case "put", "fail", "forever":
		args = wire.AppendBytes(args, s.value)
	}
	return args
}

func appendKeyArg(dst []byte, key string) []byte {
	if n, ok := integerKey(key); ok {
		return wire.AppendInt(dst, int64(n))
	}
	return wire.AppendString(dst, key)
}

func appendItem(dst []byte, key string) []byte {
	if n, ok := integerKey(key); ok {
		return wire.AppendIntItem(dst, n, false, nil)
	}
	return wire.AppendBytesItem(dst, []byte(key), false, nil)
}

func integerKey(key string) (uint64, bool) {
	n := uint64(0)
	for _, r := range key {
		if r < '0' || r > '9' {
			return 0, false
		}
		n = n*10 + uint64(r-'0')
	}
	return n, key != "" && (key == "0" || key[0] != '0')
}

// receive takes a datagram from the server.
func (c *client) receive(from endpoint, payload []byte) error {
	h, ops, st := wire.Parse(payload)
	if st != wire.StatusOK {
		return fmt.Errorf("client %d: a reply that does not parse: %v", c.id, st)
	}
	if h.Flags()&wire.FlagReply == 0 {
		return fmt.Errorf("client %d: a reply without the reply flag", c.id)
	}
	if c.payload == nil || h.Seq() != c.seq && c.phase == phaseReady {
		return nil // the duplicate of an answer
	}
	if h.Status() == wire.StatusPending {
		return nil
	}
	if c.phase != phaseReady {
		return c.receiveHello(h, ops)
	}
	op, _, ok := wire.FirstOp(ops)
	if ok && op.Code() == wire.OpHello {
		return nil // a late answer to a doubled HELLO
	}
	c.serverPort = h.Port()
	if h.Status() != wire.StatusOK {
		return c.refused(h.Status())
	}
	if err := c.check(ops); err != nil {
		return fmt.Errorf("client %d seq %d after %d retries (atomic %v): %w", c.id, c.seq, c.retries, c.atomic, err)
	}
	c.done()
	return nil
}

func (c *client) done() {
	c.answered++
	c.payload = nil
	c.retryAt = c.world.now.MonoNanos + c.random.Int64N(thinkNanos)
}

// refused handles a datagram that was not executed at all.
func (c *client) refused(st wire.Status) error {
	switch st {
	case wire.StatusBusy, wire.StatusDeadline, wire.StatusKilled:
		c.statuses[st]++
		c.done()
		return nil
	}
	return fmt.Errorf("client %d: the server refused %d: %v", c.id, c.seq, st)
}

func (c *client) receiveHello(h wire.Header, ops []byte) error {
	op, _, ok := wire.FirstOp(ops)
	if !ok || op.Code() != wire.OpHello {
		return fmt.Errorf("client %d: HELLO answered without one: %v", c.id, h.Status())
	}
	if op.Status() == wire.StatusBusy {
		return nil // rate-limited: try again later
	}
	if op.Status() != wire.StatusOK {
		return fmt.Errorf("client %d: HELLO: %v %s", c.id, op.Status(), op.Value())
	}
	switch {
	case c.phase == phaseHello1 && op.Word(0) == 1:
		c.cookie = append([]byte{}, op.Value()[:wire.CookieSize]...)
		c.phase = phaseHello2
	case c.phase == phaseHello2 && op.Word(0) == 2:
		session, tenant := uint32(op.Word(1)), uint32(op.Word(2))
		secret, ok := wire.OpenSecret(op.Value(), c.tenant.token, c.cookie, c.nonce, session, tenant)
		if !ok {
			return nil // the answer to an earlier HELLO2 of ours
		}
		c.session, c.secret, c.serverPort = session, secret, h.Port()
		c.phase = phaseReady
	default:
		return nil
	}
	c.payload = nil
	return nil
}

// check compares every operation's reply with the model.
func (c *client) check(ops []byte) error {
	after := copyModel(c.model)
	pairs := 0
	increments := int64(0)
	failed := false
	for i, s := range c.steps {
		op, rest, ok := wire.FirstOp(ops)
		if !ok {
			return fmt.Errorf("%d operations, %d replies", len(c.steps), i)
		}
		ops = rest
		if op.Code() != s.code {
			return fmt.Errorf("operation %d: opcode %v answered by %v", i, s.code, op.Code())
		}
		c.statuses[op.Status()]++
		if c.atomic && op.Status() == wire.StatusAborted {
			failed = true
			continue
		}
		if ended(op.Status()) {
			failed = true
			continue // without a trace
		}
		var err error
		switch {
		case s.key == c.tenant.counter:
			err = want(op.Status(), wire.StatusOK)
			increments++
		case s.code == wire.OpMultiGet && s.keys[0] == c.tenant.pair[0]:
			err = checkPair(op)
			pairs++
		case s.function == "pair":
			err = want(op.Status(), wire.StatusOK)
		case s.code == wire.OpKill:
		default:
			err = after.apply(s, op)
		}
		if err != nil {
			return fmt.Errorf("operation %d (%v %s %q): %w", i, s.code, s.function, s.key, err)
		}
		failed = failed || (op.Status() != wire.StatusOK && op.Status() != wire.StatusNotFound || s.code != wire.OpGet && op.Status() == wire.StatusNotFound)
	}
	if c.atomic && failed {
		highest := after.highest
		after = copyModel(c.model)
		after.highest = max(highest, after.highest)
		increments = 0
	}
	c.model = after
	c.increments += increments
	return nil
}

// checkPair: the pair is only ever written together, so it is never seen apart.
func checkPair(op wire.Op) error {
	if op.Status() != wire.StatusOK {
		return fmt.Errorf("MULTI-GET of the pair: %v", op.Status())
	}
	a, rest, _ := wire.FirstFound(op.Value())
	b, _, st := wire.FirstFound(rest)
	if st != wire.StatusOK {
		return fmt.Errorf("the pair's answers are malformed")
	}
	if a.Status != b.Status || string(a.Value) != string(b.Value) {
		return fmt.Errorf("half a commit: %v %q and %v %q", a.Status, a.Value, b.Status, b.Value)
	}
	return nil
}
