package client

import (
	"context"
	"net/netip"
	"time"

	"shredder/pktproc/wire"
)

// request is one datagram and its reply. It belongs to the call that took it
// from the pool; while it is in flight the receiving goroutine may write in,
// once, and then sends on done.
type request struct {
	w        wire.Writer
	outBuf   [wire.MaxDatagram]byte
	out      []byte // the sealed datagram, in outBuf
	in       []byte // the reply; empty: the client was closed
	done     chan struct{}
	timer    *time.Timer
	session  *session // nil: not numbered
	pinned   *session // if set, the only session it may be sent in
	seq      uint32
	sends    int
	sentAt   time.Duration
	recorded bool
	calls    bool          // may take long for reasons of its own
	retry    time.Duration // least time to the first retry
}

func (c *Client) newRequest() *request {
	r, _ := c.pool.Get().(*request)
	if r == nil {
		r = &request{in: make([]byte, 0, wire.MaxDatagram), done: make(chan struct{}, 1), timer: time.NewTimer(time.Hour)}
		r.timer.Stop()
	}
	r.w = wire.NewWriter(r.outBuf[:0])
	r.recorded, r.calls, r.retry, r.session, r.pinned = false, false, c.options.MinRetry, nil, nil
	return r
}

// free gives r back. Only now is its reply no longer wanted, so that a large
// result can still be pulled between the reply and free.
func (c *Client) free(r *request) {
	c.unnumber(r)
	c.pool.Put(r)
}

// unnumber ends r's use of its sequence number. r must not be in flight.
func (c *Client) unnumber(r *request) {
	if r.session != nil && r.recorded {
		c.mu.Lock()
		r.session.end(r.seq)
		c.mu.Unlock()
	}
	r.session = nil
}

// seal finishes r's datagram but for its numbers.
func (r *request) seal(flags uint8) error {
	r.w.End()
	if r.w.Overflow() {
		return &Error{Status: wire.StatusTooLarge, Reason: "the request does not fit a datagram"}
	}
	r.out = r.w.Finish(wire.HeaderFields{Flags: flags})
	ops := r.out[wire.HeaderSize:]
	for op, rest, ok := wire.FirstOp(ops); ok; op, rest, ok = wire.FirstOp(rest) {
		r.recorded = r.recorded || op.Recorded()
		switch op.Code() {
		case wire.OpCall, wire.OpFn:
			r.calls, r.retry = true, max(r.retry, callRetry)
		case wire.OpTry:
			r.calls, r.retry = true, max(r.retry, tryRetry)
		}
	}
	return nil
}

// do sends the sealed request until it is answered and returns the reply's
// operations, borrowed from r.
func (c *Client) do(ctx context.Context, r *request) ([]byte, error) {
	if !r.recorded {
		select {
		case c.reads <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		defer func() { <-c.reads }()
	}
	for {
		if err := c.number(ctx, r); err != nil {
			return nil, err
		}
		if deadline, ok := ctx.Deadline(); ok {
			millis := min(max(time.Until(deadline).Milliseconds(), 1), 1<<32-1)
			wire.MakeHeader(r.out).SetDeadlineMillis(uint32(millis))
		}
		if err := c.exchange(ctx, r); err != nil {
			if r.recorded && r.sends > 0 {
				err = &unknownOutcome{err}
			}
			return nil, err
		}
		h, ops, _ := wire.Parse(r.in)
		switch st := h.Status(); st {
		case wire.StatusOK:
			if h.Ops() != wire.MakeHeader(r.out).Ops() {
				return nil, ErrBadReply
			}
			return ops, nil
		case wire.StatusNoSession:
			if r.pinned != nil {
				return nil, errorOf(st)
			}
			if r.recorded && r.sends > 1 {
				return nil, &unknownOutcome{errorOf(st)}
			}
			lost := r.session
			c.unnumber(r)
			if err := c.renew(ctx, lost); err != nil {
				return nil, err
			}
		case wire.StatusStale:
			if r.recorded {
				return nil, &unknownOutcome{errorOf(st)}
			}
			return nil, errorOf(st)
		default:
			if r.recorded && (h.Ops() > 0 || r.sends > 1 && beforeWindow(st)) {
				return nil, &unknownOutcome{errorOf(st)}
			}
			return nil, errorOf(st)
		}
	}
}

// beforeWindow says whether a server refuses a datagram with st before it looks
// whether an earlier copy was executed.
func beforeWindow(st wire.Status) bool {
	return st == wire.StatusShutdown || st == wire.StatusQuarantined || st == wire.StatusUnavailable
}

// exchange sends r, which is in flight, and sends it again at growing
// intervals, until its reply is in r.in. When it returns r is no longer in
// flight.
func (c *Client) exchange(ctx context.Context, r *request) error {
	interval := max(c.rtt.timeout(), r.retry)
	limit := time.Since(c.start) + c.options.Timeout
	_, hasDeadline := ctx.Deadline()
	for {
		sendErr := c.send(r)
		wait := interval
		if !hasDeadline {
			wait = min(wait, limit-time.Since(c.start))
		}
		r.timer.Reset(max(wait, 0))
		select {
		case <-r.done:
			r.timer.Stop()
			return c.replied(r)
		case <-ctx.Done():
			r.timer.Stop()
			if c.withdraw(r) {
				return ctx.Err()
			}
			return c.replied(r)
		case <-r.timer.C:
		}
		if !hasDeadline && time.Since(c.start) >= limit {
			if !c.withdraw(r) {
				return c.replied(r)
			}
			if sendErr != nil {
				return sendErr
			}
			return ErrTimeout
		}
		interval = max(min(2*interval, maxRetry), r.retry)
	}
}

// replied looks at what woke the waiter.
func (c *Client) replied(r *request) error {
	if len(r.in) == 0 {
		return ErrClosed
	}
	if r.sends == 1 && !r.calls {
		c.rtt.sample(time.Since(c.start) - r.sentAt)
	}
	return nil
}

// withdraw takes r out of flight; false: its reply came first, and is in r.in.
func (c *Client) withdraw(r *request) bool {
	key := flightKey(r.session.id, r.seq)
	c.mu.Lock()
	mine := c.inFlight[key] == r
	if mine {
		delete(c.inFlight, key)
	}
	c.mu.Unlock()
	if !mine {
		<-r.done
	}
	return mine
}

// send puts one copy of r on the wire: to the home lcore's port, and from the
// third copy on by turns to the port that was dialed, in case the way to the
// other is blocked: whatever lcore a datagram reaches hands it over.
func (c *Client) send(r *request) error {
	port := uint16(c.home.Load())
	if port == 0 || (r.sends >= 2 && r.sends&1 == 0) {
		port = c.server.Port()
	}
	r.sends++
	r.sentAt = time.Since(c.start)
	_, err := c.conn.WriteToUDPAddrPort(r.out, netip.AddrPortFrom(c.server.Addr(), port))
	return err
}

// only returns the reply's one operation; its status may be any.
func (r *request) only() (wire.Op, error) {
	h, ops, _ := wire.Parse(r.in)
	op, rest, ok := wire.FirstOp(ops)
	if !ok {
		if h.Status() != wire.StatusOK {
			return nil, errorOf(h.Status())
		}
		return nil, ErrBadReply
	}
	if len(rest) != 0 || op.Code() != sentCode(r) {
		return nil, ErrBadReply
	}
	if h.Status() != wire.StatusOK && op.Status() == wire.StatusOK {
		return nil, errorOf(h.Status())
	}
	return op, opError(op)
}

func sentCode(r *request) wire.Opcode { return wire.Opcode(r.out[wire.HeaderSize]) }

// one sends a request of one operation and returns the reply's, or its error.
// The operation comes with an error too, if there is one: for its words.
func (c *Client) one(ctx context.Context, r *request, flags uint8) (wire.Op, error) {
	if err := r.seal(flags); err != nil {
		return nil, err
	}
	if _, err := c.do(ctx, r); err != nil {
		return nil, err
	}
	return r.only()
}
