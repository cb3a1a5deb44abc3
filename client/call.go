package client

import (
	"bytes"
	"context"
	"encoding/binary"

	"shredder/pktproc/wire"
)

// Receipt is what a call cost: fuel, store lookups, bytes of values read and
// returned, and the tier that executed it (0 interpreter, 1 compiled).
type Receipt = wire.Receipt

// CallOptions are for CallWith.
type CallOptions struct {
	Receipt bool // ask for a receipt
}

// Result is a call's value and, if asked for and given, its receipt.
type Result struct {
	Value   Value
	Receipt *Receipt
}

// Call calls the tenant's function fn and returns its result. Arguments are
// encoded by AppendArg and must fit a datagram. The context's deadline goes to
// the server with the call. Errors besides those of any request: ErrNoFunction,
// *FunctionError, ErrDeadline, ErrFuel, ErrLimit, ErrKilled, ErrTooLarge.
// After any of these the call has changed nothing.
func (c *Client) Call(ctx context.Context, fn string, args ...any) (Value, error) {
	result, err := c.CallWith(ctx, CallOptions{}, fn, args...)
	return result.Value, err
}

// CallWith is Call with options.
func (c *Client) CallWith(ctx context.Context, o CallOptions, fn string, args ...any) (Result, error) {
	encoded, err := appendArgs(nil, args)
	if err != nil {
		return Result{}, err
	}
	r := c.newRequest()
	defer c.free(r)
	if err := putCall(&r.w, wire.OpCall, fn, encoded); err != nil {
		return Result{}, err
	}
	op, err := c.one(ctx, r, receiptFlag(o.Receipt))
	if err != nil {
		return Result{}, err
	}
	return c.resultOf(ctx, r, 0, op)
}

func receiptFlag(want bool) uint8 {
	if want {
		return wire.FlagReceipt
	}
	return 0
}

func appendArgs(dst []byte, args []any) ([]byte, error) {
	for _, arg := range args {
		var err error
		if dst, err = AppendArg(dst, arg); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

func putCall(w *wire.Writer, code wire.Opcode, fn string, args []byte) error {
	if fn == "" || len(fn) > wire.MaxNameLen {
		return &Error{Status: wire.StatusNoFunction, Reason: "a function's name has 1 to 128 bytes"}
	}
	w.Begin(code, 0, 0)
	w.Key([]byte(fn))
	w.Value(args)
	return nil
}

// resultOf reads a call's reply, pulling a result that did not fit.
func (c *Client) resultOf(ctx context.Context, r *request, index int, op wire.Op) (Result, error) {
	var result Result
	if receipt, ok := op.Receipt(); ok {
		result.Receipt = &receipt
	}
	encoded, err := c.wholeValue(ctx, r, index, op)
	if err != nil {
		return Result{}, err
	}
	result.Value, err = parseValue(encoded)
	return result, err
}

// wholeValue is a copy of a reply's value, pulled from its record if partial.
func (c *Client) wholeValue(ctx context.Context, r *request, index int, op wire.Op) ([]byte, error) {
	if op.Flags()&wire.OpFlagPartial != 0 {
		return c.pullResult(ctx, r, index, op)
	}
	return bytes.Clone(op.Value()), nil
}

// Write is one change that a call would have made.
type Write struct {
	Key     StoreKey
	Deleted bool
	Value   []byte // nil if deleted
}

// Trial is what a call would have returned, changed and cost.
type Trial struct {
	Result
	Writes []Write
}

// Try calls fn on the live data as Call does, and applies nothing. Result and
// writes may have 64 KiB together; ErrTooLarge if they have more.
func (c *Client) Try(ctx context.Context, fn string, args ...any) (Trial, error) {
	encoded, err := appendArgs(nil, args)
	if err != nil {
		return Trial{}, err
	}
	r := c.newRequest()
	defer c.free(r)
	if err := putCall(&r.w, wire.OpTry, fn, encoded); err != nil {
		return Trial{}, err
	}
	op, err := c.one(ctx, r, wire.FlagReceipt)
	if err != nil {
		return Trial{}, err
	}
	var trial Trial
	if receipt, ok := op.Receipt(); ok {
		trial.Receipt = &receipt
	}
	b, err := c.wholeValue(ctx, r, 0, op)
	if err != nil {
		return Trial{}, err
	}
	return trial, trial.decode(b)
}

func (t *Trial) decode(b []byte) error {
	if len(b) < 4 {
		return ErrBadReply
	}
	size := uint64(binary.LittleEndian.Uint32(b))
	if b = b[4:]; size > uint64(len(b)) {
		return ErrBadReply
	}
	value, err := parseValue(b[:size:size])
	if err != nil {
		return err
	}
	t.Value = value
	for rest := b[size:]; len(rest) > 0; {
		it, after, st := wire.FirstItem(rest)
		if st != wire.StatusOK {
			return ErrBadReply
		}
		w := Write{Key: keyOf(it), Deleted: it.Deleted}
		if !it.Deleted {
			w.Value = append([]byte{}, it.Value...)
		}
		t.Writes = append(t.Writes, w)
		rest = after
	}
	return nil
}

// Kill ends a call of the tenant: the one that sequence number seq of session
// started, or with 0, 0 whichever is being executed. ErrNotFound: there is
// none.
func (c *Client) Kill(ctx context.Context, session, seq uint32) error {
	r := c.newRequest()
	defer c.free(r)
	r.w.Begin(wire.OpKill, 0, 0)
	r.w.Word(uint64(session))
	r.w.Word(uint64(seq))
	_, err := c.one(ctx, r, 0)
	return err
}
