package client

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"shredder/pktproc/wire"
)

const (
	// segmentsInFlight is how many segments of one value are in flight: 32
	// full datagrams are 46 KB, which the smallest socket buffers hold.
	segmentsInFlight = 32
	// pushesAtOnce is below the number that a server lets a session have open.
	pushesAtOnce = 8
	// transferTries bounds how often a transfer starts anew.
	transferTries = 8
)

// errAgain: the transfer's basis went away and it may start anew.
var errAgain = errors.New("start the transfer anew")

// segments calls transfer for each segment of size bytes of a total, from
// several goroutines, and returns the first error.
func segments(ctx context.Context, from, total int, transfer func(ctx context.Context, off, end int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	next.Store(int64(from))
	var workers sync.WaitGroup
	for range min(segmentsInFlight, (total-from+wire.MaxSegment-1)/wire.MaxSegment) {
		workers.Go(func() {
			for {
				end := int(next.Add(wire.MaxSegment))
				off := end - wire.MaxSegment
				if off >= total || ctx.Err() != nil {
					return
				}
				if err := transfer(ctx, off, min(end, total)); err != nil {
					cancel(err) // the first cause stays
					return
				}
			}
		})
	}
	workers.Wait()
	return context.Cause(ctx)
}

// pullValue completes a GET whose reply first holds only the beginning of the
// value, and appends the whole to dst.
func (c *Client) pullValue(ctx context.Context, key StoreKey, first wire.Op, dst []byte) ([]byte, uint64, error) {
	version, total := first.Word(0), first.Word(1)
	beginning := first.Value()
	for range transferTries {
		if total > wire.MaxValueSize || uint64(len(beginning)) > total {
			return dst, 0, ErrBadReply
		}
		value := slices.Grow(dst, int(total))[:len(dst)+int(total)]
		into := value[len(dst):]
		had := copy(into, beginning)
		err := segments(ctx, had, int(total), func(ctx context.Context, off, end int) error {
			return c.pullRange(ctx, key, version, into, off, end)
		})
		if err == nil {
			return value, version, nil
		}
		if err != errAgain {
			return dst, 0, err
		}
		if version, total, err = c.sizeOf(ctx, key); err != nil {
			return dst, 0, err
		}
		beginning = nil
	}
	return dst, 0, ErrChanged
}

// sizeOf asks for the version and size of key's value alone.
func (c *Client) sizeOf(ctx context.Context, key StoreKey) (version, size uint64, err error) {
	r := c.newRequest()
	defer c.free(r)
	putRange(&r.w, &key, 0, 0, 0)
	op, err := c.one(ctx, r, 0)
	if err != nil {
		return 0, 0, err
	}
	return op.Word(0), op.Word(1), nil
}

func putRange(w *wire.Writer, key *StoreKey, version uint64, off, length int) {
	w.Begin(wire.OpGet, wire.OpFlagRange, 0)
	w.Word(version)
	w.Word(uint64(off)<<32 | uint64(length))
	key.put(w)
}

// pullRange fetches into[off:end]; the server may give less than asked.
func (c *Client) pullRange(ctx context.Context, key StoreKey, version uint64, into []byte, off, end int) error {
	r := c.newRequest()
	defer c.free(r)
	for off < end {
		c.unnumber(r)
		r.w = wire.NewWriter(r.outBuf[:0])
		putRange(&r.w, &key, version, off, end-off)
		op, err := c.one(ctx, r, 0)
		if errors.Is(err, ErrChanged) || errors.Is(err, ErrNotFound) {
			return errAgain
		}
		if err != nil {
			return err
		}
		if op.Word(0) != version {
			return errAgain
		}
		n := len(op.Value())
		if n == 0 || n > end-off {
			return ErrBadReply
		}
		off += copy(into[off:end], op.Value())
	}
	return nil
}

// setPushed is Set of a value that does not fit a datagram.
func (c *Client) setPushed(ctx context.Context, key StoreKey, value []byte, words setWords) (uint64, error) {
	words.flags |= wire.OpFlagPushed
	var version uint64
	err := c.withPush(ctx, value, func(push uint64) error {
		r := c.newRequest()
		defer c.free(r)
		words.begin(&r.w, push)
		key.put(&r.w)
		op, err := c.one(ctx, r, 0)
		if err == nil {
			version = op.Word(0)
		}
		return err
	})
	return version, err
}

// withPush pushes b and then calls use with the push's id; both are done anew
// if the server has lost the push, whereupon use has had no effect.
func (c *Client) withPush(ctx context.Context, b []byte, use func(push uint64) error) error {
	if len(b) > wire.MaxValueSize {
		return &Error{Status: wire.StatusTooLarge, Reason: "a value has at most 16 MiB"}
	}
	select {
	case c.pushes <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-c.pushes }()
	var err error
	for range transferTries {
		var push uint64
		if push, err = c.push(ctx, b); err == nil {
			err = use(push)
		}
		var e *Error
		if !errors.As(err, &e) || e.Status != wire.StatusNoPush || errors.Is(err, ErrUnknownOutcome) {
			return err
		}
	}
	return err
}

func (c *Client) push(ctx context.Context, b []byte) (uint64, error) {
	r := c.newRequest()
	defer c.free(r)
	r.w.Begin(wire.OpPushBegin, 0, 0)
	r.w.Word(uint64(len(b)))
	r.w.Word(wire.MaxSegment)
	op, err := c.one(ctx, r, 0)
	if err != nil {
		// A push that was begun and is not used ends by its timeout: harmless.
		var unknown *unknownOutcome
		if errors.As(err, &unknown) && unknown.cause == errorOf(wire.StatusNoSession) {
			return 0, errorOf(wire.StatusNoPush)
		}
		return 0, err
	}
	push := op.Word(0)
	return push, segments(ctx, 0, len(b), func(ctx context.Context, off, end int) error {
		return c.pushSegment(ctx, push, b[off:end], off)
	})
}

func (c *Client) pushSegment(ctx context.Context, push uint64, b []byte, off int) error {
	r := c.newRequest()
	defer c.free(r)
	r.w.Begin(wire.OpPush, 0, 0)
	r.w.Word(push)
	r.w.Word(uint64(off))
	r.w.Value(b)
	_, err := c.one(ctx, r, 0)
	return err
}

// pullResult fetches the result of a call that did not fit the reply to r, from
// the record that the server keeps until r is freed. index is the call's place
// among the datagram's operations.
func (c *Client) pullResult(ctx context.Context, r *request, index int, op wire.Op) ([]byte, error) {
	total := op.Word(0)
	if total > wire.MaxValueSize {
		return nil, ErrBadReply
	}
	result := make([]byte, total)
	err := segments(ctx, 0, int(total), func(ctx context.Context, off, end int) error {
		return c.pullResultRange(ctx, r, index, result, off, end)
	})
	return result, err
}

func (c *Client) pullResultRange(ctx context.Context, call *request, index int, into []byte, off, end int) error {
	r := c.newRequest()
	defer c.free(r)
	for off < end {
		c.unnumber(r)
		r.w = wire.NewWriter(r.outBuf[:0])
		r.pinned = call.session
		r.w.Begin(wire.OpResult, 0, 0)
		r.w.Word(uint64(call.seq))
		r.w.Word(uint64(off)<<32 | uint64(end-off))
		r.w.Word(uint64(index))
		op, err := c.one(ctx, r, 0)
		if err != nil {
			return err
		}
		n := len(op.Value())
		if n == 0 || n > end-off {
			return ErrBadReply
		}
		off += copy(into[off:end], op.Value())
	}
	return nil
}
