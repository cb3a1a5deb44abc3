package client

import (
	"context"
	"crypto/rand"
	"encoding/binary"

	"shredder/pktproc/wire"
)

// session is what HELLO gave, and the window of sequence numbers of requests
// that the server records. Client.mu guards it.
type session struct {
	id, tenant uint32
	secret     uint64

	next  uint32 // the next number to give out, from 1
	first uint32 // the lowest number whose reply is still wanted
	ended uint64 // bit i: the reply of first + i is no longer wanted
	moved chan struct{}
}

// Numbers of reads have the top bit set, so that they never meet those of the
// window, which the server keeps for recorded requests only. A session is
// renewed before its window would get there.
const (
	readBit    = 1 << 31
	maxWindow  = readBit - 1
	firstSeq   = 1
	helloTries = 4
)

// end says that the reply of seq is no longer wanted.
func (s *session) end(seq uint32) {
	s.ended |= 1 << (seq - s.first)
	for s.ended&1 != 0 {
		s.ended >>= 1
		s.first++
	}
	if s.moved != nil {
		close(s.moved)
		s.moved = nil
	}
}

// number gives r its session and sequence number and puts it among those in
// flight. It waits while the window is full.
func (c *Client) number(ctx context.Context, r *request) error {
	for {
		c.mu.Lock()
		if c.closed {
			c.mu.Unlock()
			return ErrClosed
		}
		s := c.session
		if r.pinned != nil {
			s = r.pinned
		}
		if s == nil || (r.recorded && s.next == maxWindow && s.first == s.next) {
			c.mu.Unlock()
			if err := c.renew(ctx, s); err != nil {
				return err
			}
			continue
		}
		if !r.recorded {
			c.nextRead++
			r.seq = readBit | c.nextRead
			if c.inFlight[flightKey(s.id, r.seq)] != nil {
				c.mu.Unlock()
				continue // still in flight after 2^31 others
			}
			c.launch(r, s)
			c.mu.Unlock()
			return nil
		}
		if s.next-s.first < wire.WindowSize && s.next < maxWindow {
			r.seq = s.next
			s.next++
			c.launch(r, s)
			c.mu.Unlock()
			return nil
		}
		if s.moved == nil {
			s.moved = make(chan struct{})
		}
		moved := s.moved
		c.mu.Unlock()
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// launch writes r's header and registers it; Client.mu is held.
func (c *Client) launch(r *request, s *session) {
	r.session, r.sends = s, 0
	h := wire.MakeHeader(r.out)
	h.SetSession(s.id)
	h.SetSecret(s.secret)
	h.SetSeq(r.seq)
	h.SetFirst(s.first)
	c.inFlight[flightKey(s.id, r.seq)] = r
}

// renew says HELLO if old is still the session; otherwise somebody else has
// done so, or is about to and is waited for.
func (c *Client) renew(ctx context.Context, old *session) error {
	for {
		c.mu.Lock()
		if c.session != old {
			c.mu.Unlock()
			return nil
		}
		if c.closed {
			c.mu.Unlock()
			return ErrClosed
		}
		under := c.renewing
		if under == nil {
			c.renewing = make(chan struct{})
			c.mu.Unlock()
			break
		}
		c.mu.Unlock()
		select {
		case <-under:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	s, err := c.hello(ctx)
	c.mu.Lock()
	if err == nil {
		c.session = s
		if old != nil && old.moved != nil {
			close(old.moved)
			old.moved = nil
		}
	}
	close(c.renewing)
	c.renewing = nil
	c.mu.Unlock()
	return err
}

// hello is the exchange of docs/wire-format.md, "Sessions".
func (c *Client) hello(ctx context.Context) (*session, error) {
	var err error
	for range helloTries {
		var cookie [wire.CookieSize]byte
		if err = c.hello1(ctx, &cookie); err != nil {
			return nil, err
		}
		var s *session
		s, err = c.hello2(ctx, &cookie)
		if err == nil {
			return s, nil
		}
		// The cookie's epoch may have ended meanwhile.
		if e, ok := err.(*Error); !ok || e.Status != wire.StatusNoSession {
			return nil, err
		}
	}
	return nil, err
}

func (c *Client) hello1(ctx context.Context, cookie *[wire.CookieSize]byte) error {
	r := c.newRequest()
	defer c.free(r)
	r.w.Begin(wire.OpHello, 0, 0)
	r.w.Word(1)
	var zeros [wire.MinHello1 - wire.HeaderSize - wire.OpHeaderSize - 8]byte
	r.w.Value(zeros[:])
	op, err := c.helloExchange(ctx, r)
	if err != nil {
		return err
	}
	if copy(cookie[:], op.Value()) != wire.CookieSize {
		return ErrBadReply
	}
	return nil
}

func (c *Client) hello2(ctx context.Context, cookie *[wire.CookieSize]byte) (*session, error) {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	nonce := [2]uint64{binary.LittleEndian.Uint64(random[:]), binary.LittleEndian.Uint64(random[8:])}
	name := []byte(c.options.Tenant)
	proof := wire.MakeProof(c.options.Token, cookie[:], nonce, uint64(c.options.Role), name)
	r := c.newRequest()
	defer c.free(r)
	r.w.Begin(wire.OpHello, 0, 0)
	r.w.Word(2)
	r.w.Word(uint64(c.options.Role))
	r.w.Word(nonce[0])
	r.w.Word(nonce[1])
	r.w.Key(name)
	r.w.Value(cookie[:])
	r.w.Value(proof[:])
	op, err := c.helloExchange(ctx, r)
	if err != nil {
		return nil, err
	}
	s := &session{id: uint32(op.Word(1)), tenant: uint32(op.Word(2)), next: firstSeq, first: firstSeq}
	secret, ok := wire.OpenSecret(op.Value(), c.options.Token, cookie[:], nonce, s.id, s.tenant)
	if !ok || s.id == 0 {
		return nil, &Error{Status: wire.StatusDenied, Reason: "the server does not know the token"}
	}
	s.secret = secret
	return s, nil
}

// helloExchange sends a HELLO, which has no session, and waits for its reply.
func (c *Client) helloExchange(ctx context.Context, r *request) (wire.Op, error) {
	if err := r.seal(0); err != nil {
		return nil, err
	}
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil, ErrClosed
	}
	c.helloSeq++
	r.seq = c.helloSeq
	c.launch(r, &session{})
	c.mu.Unlock()
	if err := c.exchange(ctx, r); err != nil {
		return nil, err
	}
	return r.only()
}
